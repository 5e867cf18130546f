"""Writing a file whole: whoever reads it finds the old content or the new one.

Other files are made elsewhere, for a reason each: logs and kept replies grow at their
end, and a lock is a file that must stay the same one.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webapp.errors import StorageError


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Replace a file in one step; it is on the disk when this returns.

    Raise StorageError if that cannot be done; then the old file is as it was.
    """
    with _beside(path, content, mode) as fresh:
        fresh.replace(path)


def write_once(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Write a file unless it is there: of several processes, the first one decides.

    Raise StorageError if it cannot be written; then there is still none.
    """
    # `link` fails if another process was first: then its file is the one.
    with _beside(path, content, mode) as fresh, suppress(FileExistsError):
        path.hardlink_to(fresh)


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone can open, also if it is there already.

    Raise OSError if that cannot be done.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        folder.chmod(mode & 0o700)


def file_sentence(error: OSError) -> str:
    """Return what is wrong with the file of an error, and what to do about it."""
    reason = (error.strerror or type(error).__name__).lower()
    return (
        f"{error.filename} cannot be used: {reason}. Move it away or correct who may "
        "read and write it, and start again."
    )


@contextmanager
def _beside(path: Path, content: str | bytes, mode: int) -> Iterator[Path]:
    """Yield a complete file in the same folder, which is gone afterwards."""
    # A dot in front: the folders of the content are watched for files without one.
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    data = content.encode() if isinstance(content, str) else content
    try:
        try:
            _write(fresh, data, mode)
            yield fresh
        finally:
            fresh.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}. Nothing was changed."
        ) from error


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Put the new name itself on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
