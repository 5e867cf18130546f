"""Divides a lesson into front matter, prose and blocks, each with its line.

Blocks are fences whose info string begins with a known word, and whose body is YAML:

    ```panel tell
    task: …
    ```

Other fences are code that is shown, and belong to the prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from webapp.reading.plain_words import did_you_mean
from webapp.reading.tree import TreeProblem

KINDS: Final = ("panel", "question")

# Characters that turn the direction of text: what is shown is not what is written.
BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RULE: Final = "---"
_FENCE: Final = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*([^`]*)$")
# One letter too many, too few or in the wrong place, as in `pannel` and `Question`.
_NEARLY: Final = re.compile(r"pan+el+s?|pannle|quest?i?ons?|qestion", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Prose, or the body of a block: its text, and the line on which that begins."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A fence that is read: its kind, what follows the kind, and its body."""

    line: int
    kind: str
    words: tuple[str, ...]
    body: Stretch


@dataclass(frozen=True, slots=True)
class Divided:
    """A lesson as it is written: front matter, then prose and blocks in their order."""

    front: Stretch
    parts: tuple[Stretch | Block, ...]


@dataclass(slots=True)
class _Fence:
    line: int
    mark: str
    # None: code that is shown.
    kind: str | None
    words: tuple[str, ...] = ()


def divide(text: str) -> Divided:
    """Divide the text of a lesson; raise TreeProblem where it cannot be done."""
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        turned = BIDI.search(line)
        if turned is not None:
            raise TreeProblem(number, *turns_text(turned[0]))
    front, begin = _front(lines)
    return Divided(front, tuple(_Parts(lines, begin).parts()))


def turns_text(character: str) -> tuple[str, str]:
    """Return what is wrong with a character that turns text, and what to do."""
    return (
        f"the character U+{ord(character):04X} changes the direction of text",
        "delete it; in a prompt, write it with its number in double quotes",
    )


def _front(lines: list[str]) -> tuple[Stretch, int]:
    """Return the front matter, and the index of the first line after it."""
    if lines[0].rstrip() != _RULE:
        advice = f"begin with a line {_RULE}, then title: and so on, then {_RULE}"
        raise TreeProblem(1, "the front matter is missing", advice)
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == _RULE:
            return Stretch(2, "\n".join(lines[1:number])), number + 1
    advice = f"write {_RULE} alone on a line after it"
    raise TreeProblem(1, "the front matter is not closed", advice)


@dataclass(slots=True)
class _Parts:
    """Walks through the lines after the front matter."""

    lines: list[str]
    begin: int
    kept: list[str] = field(default_factory=list)
    kept_from: int = 0

    def parts(self) -> Iterator[Stretch | Block]:
        """Yield prose and blocks; raise TreeProblem at the line of a broken fence."""
        fence: _Fence | None = None
        self._restart(self.begin)
        for at, line in enumerate(self.lines[self.begin :], self.begin):
            found = _FENCE.match(line)
            if fence is None:
                fence = _open(at + 1, found) if found else None
                if fence is not None and fence.kind is not None:
                    yield from self._prose()
                    self._restart(at + 1)
                    continue
            elif found and _closes(fence, found):
                if fence.kind is not None:
                    body = Stretch(self.kept_from + 1, "\n".join(self.kept))
                    yield Block(fence.line, fence.kind, fence.words, body)
                    self._restart(at + 1)
                    fence = None
                    continue
                fence = None
            elif found and found[3].split()[:1] and found[3].split()[0] in KINDS:
                raise _unclosed(fence, f", and another begins on line {at + 1}")
            self.kept.append(line)
        if fence is not None:
            raise _unclosed(fence)
        yield from self._prose()

    def _restart(self, at: int) -> None:
        self.kept, self.kept_from = [], at

    def _prose(self) -> Iterator[Stretch]:
        text = "\n".join(self.kept)
        if text.strip():
            blank = len(text) - len(text.lstrip("\n"))
            yield Stretch(self.kept_from + 1 + blank, text.strip("\n"))


def _open(line: int, found: re.Match[str]) -> _Fence:
    indent, mark, info = found[1], found[2], found[3].split()
    name = info[0] if info else ""
    if name not in KINDS:
        if _NEARLY.fullmatch(name):
            advice = did_you_mean(name.lower(), KINDS)
            raise TreeProblem(line, f'unknown block "{name}"', advice)
        return _Fence(line, mark, None)
    if indent:
        advice = "delete the spaces before it"
        raise TreeProblem(line, f"this {name} does not begin at the margin", advice)
    return _Fence(line, mark, name, tuple(info[1:]))


def _closes(fence: _Fence, found: re.Match[str]) -> bool:
    return not found[3].strip() and found[2].startswith(fence.mark)


def _unclosed(fence: _Fence, more: str = "") -> TreeProblem:
    kind = fence.kind or "block of code"
    advice = f"write {fence.mark} alone on a line after it"
    return TreeProblem(fence.line, f"this {kind} is not closed{more}", advice)
