"""Finds the content files under the roots, and notices when they change."""

from __future__ import annotations

import errno
import os
import stat
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
    "data": 1,
    "texts": 1,
}
# Editors keep swap and backup files beside the file they edit.
_PASSING = (".", "#", "~")

# A folder that is named like a file is one that an author thinks is read.
_SUFFIXES = (".yaml", ".txt")
_LESSONS: Final = "lessons"
# Lies beside the tracks. Those of all roots are added up: none replaces another.
_PROVEN: Final = "proven.json"

_MOVE: Final = "move it away or rename it"
_MAKE: Final = "make it, or take it out of the settings"

Signature = tuple[tuple[str, int, int, int, str], ...]


@dataclass(frozen=True, slots=True, order=True)
class ContentFile:
    """A file, and what changes about it when someone saves it.

    `fault` says why a file or folder cannot be read, `advice` what to do about it.
    """

    path: Path
    mtime_ns: int = 0
    size: int = 0
    inode: int = 0
    fault: str = ""
    advice: str = ""


def find_files(roots: Sequence[Path]) -> dict[PurePosixPath, ContentFile]:
    """Return all content files by their path inside a root, in a stable order.

    What cannot be read, folders included, is there with a fault.

    A file in a later root replaces the one with the same name in an earlier root:
    that is how an edit in the browser replaces a shipped level.
    """
    files: dict[PurePosixPath, ContentFile] = {}
    for number, root in enumerate(roots):
        if faults := dict(_root_faults(root)):
            files.update(faults)
            continue
        inside, folders = root.resolve(), dict[Path, bool]()
        for top, depth in _DEPTHS.items():
            for name, file in sorted(_walk(root / top, PurePosixPath(top), depth)):
                # An override takes the place of the file that it replaces.
                files[name] = _kept_inside(file, inside, folders)
        proven = _look(root / _LESSONS / _PROVEN, PurePosixPath(_LESSONS, _PROVEN), 1)
        for name, file in proven:
            files[name / str(number)] = _kept_inside(file, inside, folders)
    return files


def signature(files: Mapping[PurePosixPath, ContentFile]) -> Signature:
    """Return a value that differs as soon as any file was added, changed or removed."""
    return tuple(
        (str(file.path), file.mtime_ns, file.size, file.inode, file.fault)
        for file in files.values()
    )


Found = Iterator[tuple[PurePosixPath, ContentFile]]


def _root_faults(root: Path) -> Found:
    """Yield what is wrong with a root that is there; there need be none."""
    name = PurePosixPath(root.name)
    try:
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except FileNotFoundError:
        if root.is_symlink():
            yield name, _dangling(root)
        else:
            fault = ContentFile(root, fault="there is no such folder", advice=_MAKE)
            yield name, fault
    except OSError as error:
        yield name, _unreadable(root, error)
    else:
        if not is_folder:
            fault = ContentFile(root, fault="this must be a folder", advice=_MOVE)
            yield name, fault


def _walk(folder: Path, name: PurePosixPath, depth: int) -> Found:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        if folder.is_symlink():
            yield name, _dangling(folder)
        return
    except NotADirectoryError:
        yield name, ContentFile(folder, fault="this must be a folder", advice=_MOVE)
        return
    except OSError as error:
        yield name, _unreadable(folder, error)
        return
    for entry in entries:
        if not entry.name.startswith(_PASSING) and not entry.name.endswith("~"):
            yield from _look(folder / entry.name, name / entry.name, depth)


def _look(path: Path, name: PurePosixPath, depth: int) -> Found:
    """Yield a file, what is in a folder, or why neither can be read."""
    try:
        found = path.stat()
    except FileNotFoundError:
        # Without a link, it was gone between the listing and the look.
        if path.is_symlink():
            yield name, _dangling(path)
        return
    except OSError as error:
        yield name, _unreadable(path, error)
        return
    is_folder, is_file = stat.S_ISDIR(found.st_mode), stat.S_ISREG(found.st_mode)
    if is_folder and depth > 1:
        yield from _walk(path, name, depth - 1)
    elif is_file and depth == 1:
        yield (
            name,
            ContentFile(path, found.st_mtime_ns, found.st_size, found.st_ino),
        )
    # Neither: a pipe, which nobody takes for content. Opening it would wait for ever.
    elif _is_meant(path, name) and (is_folder or is_file):
        wrong = (
            "this must be a file"
            if is_folder
            else "this file must lie in a folder here"
        )
        yield name, ContentFile(path, fault=wrong, advice=_MOVE)


def _is_meant(path: Path, name: PurePosixPath) -> bool:
    is_lesson = path.suffix == ".md" and name.parts[0] == _LESSONS
    return is_lesson or path.suffix in _SUFFIXES


def _kept_inside(
    file: ContentFile, root: Path, folders: dict[Path, bool]
) -> ContentFile:
    """Return the file, with a fault if a link led out of the content folder.

    Whoever may write here could otherwise read any file through its error messages.
    `folders` is what is known of the folders so far: whether each lies inside.
    """
    if file.fault:
        return file
    if file.path.is_symlink():
        is_inside = file.path.resolve().is_relative_to(root)
    else:
        folder = file.path.parent
        if folder not in folders:
            folders[folder] = folder.resolve().is_relative_to(root)
        is_inside = folders[folder]
    if is_inside:
        return file
    what = "this link leads out of the content folder"
    return ContentFile(file.path, fault=what, advice="copy the file to here instead")


def _dangling(path: Path) -> ContentFile:
    what = "this link leads nowhere"
    return ContentFile(path, fault=what, advice="delete it or point it to a file")


def _unreadable(path: Path, error: OSError) -> ContentFile:
    # The kernel's words for a link to itself speak of levels, which are the game's.
    reason = "this link leads to itself" if error.errno == errno.ELOOP else ""
    return ContentFile(
        path,
        fault=reason or f"cannot be read: {error.strerror}",
        advice="delete it" if reason else "check who may read it",
    )
