"""Which processes are alive, told by file locks that the kernel drops with them."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from webapp.files import write_once


class Boot:
    """One run of one process. Rows it leaves running are interrupted once it is gone.

    `id` starts with the id of the instance folder, so that hosts which share a
    database never judge each other's processes.
    """

    def __init__(self, instance: Path) -> None:
        folder = instance / "run"
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.id = f"{id_prefix(instance)}{secrets.token_hex(8)}"
        # Generations that are over but could not be saved as such (a full disk), with
        # what their players were told: the next one settles them, or they would count
        # as running for ever.
        self.unsaved: set[tuple[int, str]] = set()
        # Locked first and named second: a sweep that sees the name finds it held.
        fresh = folder / f"{self.id}.new"
        self._file = _lock(fresh)
        fresh.rename(folder / f"{self.id}.lock")

    def close(self) -> None:
        """End the run, as the kernel would."""
        if self._file is not None:
            self._file.close()
            self._file = None


def living(instance: Path) -> frozenset[str]:
    """Return the ids of the processes of this instance that are alive."""
    folder = instance / "run"
    return frozenset(
        boot_id for boot_id in _boot_ids(folder) if not _is_dead(folder, boot_id)
    )


def worker_lives(instance: Path) -> bool:
    """Tell whether a process that trains models is alive on this instance.

    Each holds a file of its own; one without a holder was left by a process that died.
    """
    for path in (instance / "run").glob("worker-*.alive"):
        file = _lock(path)
        if file is None:
            return True
        file.close()
    return False


def id_prefix(instance: Path) -> str:
    """Return what the id of every process of this instance begins with."""
    return f"{_instance_id(instance)}."


def _instance_id(instance: Path) -> str:
    path = instance / "instance.id"
    if not path.exists():
        write_once(path, secrets.token_hex(6))
    return path.read_text().strip()


def _boot_ids(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        yield from (path.stem for path in folder.glob("*.lock"))


def _is_dead(folder: Path, boot_id: str) -> bool:
    path = folder / f"{boot_id}.lock"
    file = _lock(path)
    if file is None:
        return False
    path.unlink(missing_ok=True)
    file.close()
    return True


def _lock(path: Path) -> IO[bytes] | None:
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
