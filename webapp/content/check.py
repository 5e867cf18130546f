"""Lists every problem of the content, or of some files of it: `./wordkeep check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from webapp.content.loader import load, load_level
from webapp.content.problems import Problem, format_problem
from webapp.settings import PROJECT

__all__ = ["Problem", "check_paths", "format_problem"]

SHIPPED = PROJECT / "challenges"
_TOPS = ("game", "words", "lessons")


def check_paths(
    paths: Sequence[Path], *, shipped: Path = SHIPPED, live: Sequence[Path] = ()
) -> list[Problem]:
    """Return the problems of the given files and folders, errors and warnings.

    A path inside a content folder is checked with everything around it, but only its
    own problems are listed. A level that lies elsewhere is checked on its own. With
    no path, the `live` roots (else the shipped ones) are checked.
    """
    if not paths:
        return load(tuple(live) or (shipped,)).problems
    problems: list[Problem] = []
    for path in paths:
        problems += [p for p in _check(path, shipped) if p not in problems]
    return problems


def _check(path: Path, shipped: Path) -> Iterator[Problem]:
    path = path.absolute()
    if not path.exists():
        yield Problem(path, 1, "there is no such file or folder", "check the path")
        return
    root = _root_of(path)
    if root is None:
        if path.is_dir():
            advice = "it needs a folder game/ or words/"
            yield Problem(path, 1, "this is no content folder", advice)
        else:
            yield from load_level(path)[1]
        return
    # Own levels may use the shipped word lists and wait for shipped levels.
    roots = (root,) if root == shipped else (shipped, root)
    for problem in load(roots).problems:
        if problem.path == path or path in problem.path.parents:
            yield problem


def _root_of(path: Path) -> Path | None:
    """Return the content folder that a path is or lies in."""
    if any((path / top).is_dir() for top in _TOPS):
        return path
    inside = [parent.parent for parent in (path, *path.parents) if parent.name in _TOPS]
    return inside[0] if inside else None
