"""Finds the content files under the roots, and notices when they change."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

# The folders that hold content, and how deep their files are.
_DEPTHS: Final[Mapping[str, int]] = {
    "game": 2,
    "lessons": 2,
    "words": 1,
    "attacks": 1,
}
# Editors keep swap and backup files beside the file they edit.
_PASSING = (".", "#", "~")

Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True, order=True)
class ContentFile:
    """A file, and what changes about it when someone saves it."""

    path: Path
    mtime_ns: int
    size: int
    inode: int


def find_files(roots: Sequence[Path]) -> dict[PurePosixPath, ContentFile]:
    """Return all content files by their path inside a root, in a stable order.

    A file in a later root replaces the one with the same name in an earlier root:
    that is how an edit in the browser replaces a shipped level.
    """
    files: dict[PurePosixPath, ContentFile] = {}
    for root in roots:
        for top, depth in _DEPTHS.items():
            # An override takes the place of the file that it replaces.
            files.update(sorted(_walk(root / top, PurePosixPath(top), depth)))
    return files


def signature(files: Mapping[PurePosixPath, ContentFile]) -> Signature:
    """Return a value that differs as soon as any file was added, changed or removed."""
    return tuple(
        (str(file.path), file.mtime_ns, file.size, file.inode)
        for file in files.values()
    )


def _walk(
    folder: Path, name: PurePosixPath, depth: int
) -> Iterator[tuple[PurePosixPath, ContentFile]]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith(_PASSING) or entry.name.endswith("~"):
            continue
        inner = name / entry.name
        try:
            if entry.is_dir():
                if depth > 1:
                    yield from _walk(folder / entry.name, inner, depth - 1)
            # Only files: opening a pipe would wait for ever.
            elif depth == 1 and entry.is_file():
                stat = entry.stat()
                yield (
                    inner,
                    ContentFile(
                        folder / entry.name, stat.st_mtime_ns, stat.st_size, stat.st_ino
                    ),
                )
        except FileNotFoundError:
            continue  # it was gone between the listing and the look
