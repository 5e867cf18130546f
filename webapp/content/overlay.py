"""Content as it would be with some texts changed, before a file is touched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from webapp.content.check import load_all
from webapp.content.files import find_files
from webapp.content.loader import Loaded


@contextmanager
def overlaid(
    roots: Sequence[Path], texts: Mapping[PurePosixPath, str | None]
) -> Iterator[tuple[Path, ...]]:
    """Yield roots in which the last one has these texts; None stands for no file.

    The last root is a copy and is gone afterwards; the others are the real ones.
    """
    with TemporaryDirectory(prefix="wordkeep-") as folder:
        copy = Path(folder, "content")
        copy.mkdir()
        for name, file in find_files(roots[-1:]).items():
            if not file.fault:
                _put(copy / name, file.path)
        for name, text in texts.items():
            place = copy / name
            if text is None:
                place.unlink(missing_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="")
        yield (*roots[:-1], copy)


def load_with(
    roots: Sequence[Path],
    texts: Mapping[PurePosixPath, str | None],
    read: Callable[[Sequence[Path]], Loaded] = load_all,
) -> Loaded:
    """Load the content as it would be with these texts in the last root.

    The paths of its problems are those in the last root, as if they had been saved.
    """
    with overlaid(roots, texts) as changed:
        loaded = read(changed)
    copy, own = changed[-1], roots[-1]
    problems = [
        replace(problem, path=own / problem.path.relative_to(copy))
        if problem.path.is_relative_to(copy)
        else problem
        for problem in loaded.problems
    ]
    return replace(loaded, problems=problems)


def _put(place: Path, source: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
