"""Shows that a worker is alive, by a file lock that the kernel drops with it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def alive(folder: Path) -> Iterator[None]:
    """Hold a file of this process; the site looks whether anybody holds one.

    Those of workers that died are removed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("worker-*.alive"):
        with suppress(OSError):
            os.close(_lock(left))
            left.unlink()
    path = folder / f"worker-{os.getpid()}.alive"
    descriptor = _lock(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _lock(path: Path) -> int:
    """Return an open file that this process alone holds, or raise OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
