"""Lesson plans: Markdown for those who teach, with links to gates and lessons.

`plans/NAME.md` has a title and a summary between two lines of ---. In its text,
`[](gate:told)` and `[](lesson:basics/next-word)` are links that get their titles from
the content; a line with nothing but `[](talk:told)` is the text of
`plans/talk/told.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from webapp.errors import NotFound

_FOLDER: Final = "plans"
_TALK: Final = "talk"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HEAD: Final = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
_INCLUDED: Final = re.compile(r"^\[\]\(talk:([a-z0-9-]+)\)$", re.MULTILINE)
_LINK: Final = re.compile(r"\[\]\((gate|lesson):([a-z0-9/-]+)\)")


@dataclass(frozen=True, slots=True)
class Plan:
    """A lesson plan; `markdown` has its links still without titles."""

    name: str
    title: str
    summary: str
    markdown: str

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """All gates and lessons that it leads to, by kind and id."""
        return tuple((kind, thing) for kind, thing in _LINK.findall(self.markdown))

    def linked(self, link: Callable[[str, str], str]) -> str:
        """Return the Markdown with each link as `link` writes it."""
        return _LINK.sub(lambda found: link(found[1], found[2]), self.markdown)


def plans(roots: Sequence[Path]) -> tuple[Plan, ...]:
    """Return all plans, the shortest first; one in a later root replaces another."""
    names = {
        path.stem
        for root in roots
        for path in (root / _FOLDER).glob("*.md")
        if _NAME.fullmatch(path.stem)
    }
    return tuple(read_plan(roots, name) for name in sorted(names, key=_length))


def read_plan(roots: Sequence[Path], name: str) -> Plan:
    """Return a plan; raise NotFound if there is none of this name."""
    text = _read(roots, f"{name}.md") if _NAME.fullmatch(name) else None
    head = _HEAD.match(text) if text else None
    if text is None or head is None:
        raise NotFound("There is no such lesson plan.")
    about = yaml.safe_load(head[1])
    body = _INCLUDED.sub(
        lambda found: _read(roots, f"{_TALK}/{found[1]}.md") or "", text[head.end() :]
    )
    return Plan(name, str(about["title"]), str(about["summary"]), body)


def _read(roots: Sequence[Path], name: str) -> str | None:
    for root in reversed(roots):
        path = root / _FOLDER / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None


def _length(name: str) -> tuple[int, str]:
    return (int(name) if name.isdigit() else 10_000, name)
