"""The database: SQLite with a write-ahead log by default, PostgreSQL by URL."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, DateTime, MetaData, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from webapp.errors import StorageError

log = logging.getLogger(__name__)
# How long a writer waits for another one.
BUSY_MS = 30_000
# At DEBUG it prints every row it reads, and with it what a guard held back.
logging.getLogger("sqlalchemy").setLevel(logging.WARNING)

STORAGE_FAILED = (
    "The site cannot reach its database just now, so nothing was changed. Try again; "
    "if it keeps happening, tell your instructor."
)

# Names for every constraint, so that a migration can drop what another one made.
_NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# The largest number that PostgreSQL's column for a row's number holds.
LAST_ID: Final = 2**31 - 1


class Base(DeclarativeBase):
    """Parent of all rows."""

    metadata = MetaData(naming_convention=_NAMING)


AnyRow = TypeVar("AnyRow", bound=Base)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, aware in Python on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Store UTC; refuse a naive time, whose zone nobody knows."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Give back an aware time; SQLite drops the zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Database:
    """Opens sessions. `read` never blocks a writer; `write` is one at a time."""

    def __init__(self, place: str | Path) -> None:
        """`place` is a SQLAlchemy URL, or the file of an SQLite database."""
        # A path in the text of a URL would end at a question mark.
        url = (
            URL.create("sqlite", database=str(place))
            if isinstance(place, Path)
            else make_url(place)
        )
        self.is_sqlite = url.get_backend_name() == "sqlite"
        # SQLite has waiting writers ask again ever more seldom, so that one of many
        # may wait for seconds. Those of one process take turns here instead.
        self._turn = threading.Lock() if self.is_sqlite else None
        self.engine = _make_engine(url, is_sqlite=self.is_sqlite)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for looking things up; what it changes is thrown away."""
        with _explained(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open one transaction that commits at the end, or rolls back on any error.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so what it reads
        cannot change before it writes: limits checked here are atomic. Raises
        StorageError when the database is full, locked or gone.
        """
        engine = self.engine.execution_options(wordkeep_write=True)
        with (
            self._taking_turns(),
            _explained(),
            Session(engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_MS / 1000):
            log.error("database: another writer of this process does not end")
            raise StorageError(STORAGE_FAILED)
        try:
            yield
        finally:
            self._turn.release()

    def wipe(self) -> None:
        """Let nothing that was deleted be read in the files of the database.

        On SQLite the log of writes keeps old text until it starts again from its
        beginning. While somebody reads an old state it must wait; the next one does it.
        """
        if not self.is_sqlite:
            return
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA busy_timeout=2000")
            try:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                driver.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def find_row(
    session: Session, kind: type[AnyRow], number: int, *, lock: bool = False
) -> AnyRow | None:
    """Return the row with this number, or None; also for one that no row can have.

    A number that comes from an address may be larger than a database can compare.
    """
    if not 0 < number <= LAST_ID:
        return None
    return session.get(kind, number, with_for_update=lock)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite database as it is at one moment, whoever writes to it meanwhile.

    Nobody waits for it: beside a log of writes, a reader stops no writer. The copy is
    one file, which its owner alone may read. Raise StorageError where one of the two
    cannot be used, on a full disk too; then there is no copy.
    """
    # Without making one where there is none.
    uri = f"file:{quote(str(source))}?mode=rw"
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000)) as one,
            closing(sqlite3.connect(target)) as other,
        ):
            one.backup(other)
            other.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StorageError(f"{source} cannot be copied: {error}.") from error


def insert_missing(session: Session, row: type[Base], **values: Any) -> None:
    """Insert a row unless its key is there, even when two processes do it at once."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(insert(row).values(**values).on_conflict_do_nothing())


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        # The driver's own words: SQLAlchemy's would add the statement.
        log.error("database: %s", error.orig)
        raise StorageError(STORAGE_FAILED) from error


def _make_engine(url: URL, *, is_sqlite: bool) -> Engine:
    # hide_parameters: what players type and models say stays out of every traceback.
    if not is_sqlite:
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=20,
            max_overflow=50,
            hide_parameters=True,
        )
    engine = create_engine(
        url,
        hide_parameters=True,
        # One connection per thread of the site, and a few to spare.
        pool_size=20,
        max_overflow=80,
        connect_args={"timeout": 30, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    # The driver must not open transactions on its own: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MS}",
        # What is deleted is overwritten, so that no file keeps it.
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("wordkeep_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
