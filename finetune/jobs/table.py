"""The SQLite file of the jobs: its tables, and rows as `Job`s."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Final

from finetune.jobs.errors import CannotKeep
from finetune.jobs.job import Job

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    training_file TEXT NOT NULL,
    asked TEXT NOT NULL,
    recipe TEXT NOT NULL,
    expected REAL NOT NULL,
    status TEXT NOT NULL,
    wish TEXT NOT NULL DEFAULT '',
    worker TEXT NOT NULL DEFAULT '',
    machine TEXT NOT NULL DEFAULT '',
    heard REAL NOT NULL DEFAULT 0,
    is_interrupted INTEGER NOT NULL DEFAULT 0,
    is_yielding INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    started REAL NOT NULL DEFAULT 0,
    finished REAL NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    figures TEXT NOT NULL DEFAULT '{}',
    tokens INTEGER NOT NULL DEFAULT 0,
    test TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS jobs_status ON jobs (status);
CREATE INDEX IF NOT EXISTS jobs_user ON jobs (user);
CREATE TABLE IF NOT EXISTS spent (
    user TEXT NOT NULL,
    minute INTEGER NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (user, minute)
);
"""
# How long one waits for another that writes.
_PATIENCE_SECONDS = 20.0
_JSON = ("asked", "recipe", "figures")
_FLAGS = ("is_interrupted", "is_yielding")
_NAMES = tuple(field.name for field in fields(Job))


class JobTable:
    """A connection for each use, so that threads and processes may share the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_made = False

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that alone may write; all of it counts, or nothing.

        Raises CannotKeep if the disk does not take it.
        """
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection; raise CannotKeep if the file cannot be used."""
        with self._connected() as connection:
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect()) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise CannotKeep(
                f"The list of trainings {self._path.name} cannot be used: {error}. Try"
                " again, and see that the disk is not full."
            ) from error

    def _connect(self) -> sqlite3.Connection:
        if not self._is_made:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=_PATIENCE_SECONDS, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
        if not self._is_made:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_TABLES)
            self._is_made = True
        return connection


def job_of(row: sqlite3.Row) -> Job:
    """Return a row as a job; columns that a job has not are left out."""
    values = {name: row[name] for name in _NAMES}
    values |= {name: json.loads(values[name]) for name in _JSON}
    values |= {name: bool(values[name]) for name in _FLAGS}
    return Job(**values)
