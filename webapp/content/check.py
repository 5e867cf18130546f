"""Lists every problem of the content, or of some files of it: `./wordkeep check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from webapp.content.collisions import check_lists
from webapp.content.lessons.collecting import read_file
from webapp.content.loader import Loaded, load, load_level
from webapp.reading.problems import Problem, format_problem
from webapp.settings import PROJECT

__all__ = ["Problem", "check_paths", "format_problem", "load_all", "load_path"]

SHIPPED = PROJECT / "challenges"
_TOPS = ("game", "words", "lessons", "attacks", "data")


def check_paths(
    paths: Sequence[Path], *, live: Sequence[Path] = (SHIPPED,)
) -> list[Problem]:
    """Return the problems in files and folders; in all `live` roots without a path."""
    problems: list[Problem] = []
    for path in paths or (None,):
        for problem in load_path(path, live=live).problems:
            if problem not in problems:
                problems.append(problem)
    return problems


def load_path(path: Path | None, *, live: Sequence[Path] = (SHIPPED,)) -> Loaded:
    """Load the content that a path belongs to, and keep only the path's problems.

    A folder outside the live roots may use the words of the first one and wait for
    its levels. A level or lesson outside any content folder is read on its own.
    """
    if path is None:
        return load_all(live)
    path = path.resolve()
    if not path.exists():
        return _refuse(path, "there is no such file or folder", "check the path")
    root = _root_of(path)
    if any(path.is_relative_to(one.resolve()) for one in live):
        loaded = load_all(live)
    elif root is not None:
        loaded = load_all((*live[:1], root))
    elif path.is_dir():
        advice = "it needs a folder game/ or words/"
        return _refuse(path, "this is not a content folder", advice)
    elif path.suffix == ".md":
        return Loaded(None, list(read_file(path).problems))
    else:
        return Loaded(None, load_level(path)[1])
    own = [p for p in loaded.problems if p.path.resolve().is_relative_to(path)]
    return replace(loaded, problems=own)


def load_all(roots: Sequence[Path]) -> Loaded:
    """Load all roots, with what is wrong between their word lists as well."""
    loaded = load(roots)
    return replace(
        loaded, problems=[*loaded.problems, *check_lists(loaded.lists, roots)]
    )


def _refuse(path: Path, message: str, suggestion: str) -> Loaded:
    return Loaded(None, [Problem(path, 1, message, suggestion)])


def _root_of(path: Path) -> Path | None:
    """Return the content folder that a path is, or is in."""
    if any((path / top).is_dir() for top in _TOPS):
        return path
    inside = [parent.parent for parent in (path, *path.parents) if parent.name in _TOPS]
    return inside[0] if inside else None
