"""Which processes are alive, told by file locks that the kernel drops with them."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sqlalchemy import select, update

from webapp.db import Database
from webapp.files import write_once
from webapp.rows import INTERRUPTED, RUNNING, Generation


class Boot:
    """One run of one process. Rows it leaves running are interrupted once it is gone.

    `id` starts with the id of the instance folder, so that hosts which share a
    database never judge each other's processes.
    """

    def __init__(self, instance: Path) -> None:
        folder = instance / "run"
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.id = f"{_instance_id(instance)}.{secrets.token_hex(8)}"
        # Attempts that are over but could not be saved as such (a full disk): the next
        # attempt settles them, or they would count as running for ever.
        self.unsaved: set[int] = set()
        # Locked first and named second: a sweep that sees the name finds it held.
        fresh = folder / f"{self.id}.new"
        self._file = _lock(fresh)
        fresh.rename(folder / f"{self.id}.lock")

    def close(self) -> None:
        """End the run, as the kernel would."""
        if self._file is not None:
            self._file.close()
            self._file = None


def sweep_interrupted(db: Database, instance: Path) -> int:
    """Mark what dead processes of this instance left running; return how many rows."""
    folder = instance / "run"
    alive = {boot_id for boot_id in _boot_ids(folder) if not _is_dead(folder, boot_id)}
    left = (
        select(Generation.boot_id)
        .where(Generation.status == RUNNING)
        .where(Generation.boot_id.startswith(f"{_instance_id(instance)}."))
        .distinct()
    )
    with db.read() as session:
        dead = [boot_id for boot_id in session.scalars(left) if boot_id not in alive]
    if not dead:
        return 0
    mark = (
        update(Generation)
        .where(Generation.status == RUNNING, Generation.boot_id.in_(dead))
        .values(status=INTERRUPTED, error="The site stopped before the reply was done.")
    )
    with db.write() as session:
        return int(session.connection().execute(mark).rowcount)


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
