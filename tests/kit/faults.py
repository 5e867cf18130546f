"""Faults of the machine."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from webapp.db import Database


class FullDisk:
    """Lets a SQLite database grow no more, until `end`."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        event.listen(self._engine, "connect", self._limit)
        # Connections in the pool were made before.
        self._engine.dispose()

    @staticmethod
    def _limit(connection: Any, record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    def end(self) -> None:
        """Make room."""
        event.remove(self._engine, "connect", self._limit)
        self._engine.dispose()
