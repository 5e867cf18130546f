"""The database as it was before it was brought up to date, for some weeks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from webapp.db import Database, copy_sqlite

log = logging.getLogger(__name__)

# What people delete is in a copy as well, so none is kept for good.
KEPT_DAYS: Final = 30
_MARK: Final = ".before_"


def keep(database: Database, revision: str) -> Path | None:
    """Copy an SQLite database beside itself; return where. A server has its backups.

    Raise StorageError or OSError if there is no room.
    """
    file = _file(database)
    if file is None:
        return None
    copy = file.with_name(f"{file.stem}{_MARK}{revision}{file.suffix}")
    copy_sqlite(file, copy)
    log.warning("the database as it was at %s is in %s", revision, copy.name)
    return copy


def drop_old(database: Database) -> None:
    """Delete copies that are older than some weeks."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for copy in _copies(database):
        if copy.stat().st_mtime < oldest:
            copy.unlink(missing_ok=True)


def _copies(database: Database) -> Iterator[Path]:
    file = _file(database)
    if file is not None:
        yield from file.parent.glob(f"{file.stem}{_MARK}*{file.suffix}")


def _file(database: Database) -> Path | None:
    name = database.engine.url.database
    return Path(name) if database.is_sqlite and name else None
