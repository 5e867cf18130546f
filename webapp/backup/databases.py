"""The database of an installation as one file, and back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from psycopg import pq
from psycopg.conninfo import make_conninfo
from sqlalchemy import inspect, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import OperationalError

from webapp.backup.manifest import BackupError, Kind
from webapp.db import Database
from webapp.settings import Settings

# Tables that an earlier restore put aside are no part of the installation.
ASIDE: Final = "before_restore_"
_NO_PROGRAM: Final = (
    "{program} is not on this computer, and a backup of PostgreSQL needs it. Install "
    "the client programs of PostgreSQL (Debian: apt-get install postgresql-client)."
)


def kind_of(settings: Settings) -> Kind:
    """Return which kind of database an installation has."""
    return "sqlite" if sqlite_file(settings) else "postgresql"


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of an SQLite database; None for PostgreSQL."""
    place = settings.database
    if isinstance(place, Path):
        return place
    url = make_url(place)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def dump_postgres(url: URL, target: Path) -> None:
    """Write a PostgreSQL database into a file, as it is at one moment."""
    options = ("--format=custom", "--no-owner", "--no-acl", f"--file={target}")
    _run(url, "pg_dump", *options, f"--exclude-schema={ASIDE}*")


def load_postgres(url: URL, source: Path) -> None:
    """Fill an empty PostgreSQL database from a file: all of it, or nothing."""
    options = ("--no-owner", "--no-acl", "--single-transaction", "--exit-on-error")
    name = make_conninfo(dbname=url.database)
    _run(url, "pg_restore", *options, f"--dbname={name}", str(source))


def _run(url: URL, program: str, *options: str) -> None:
    if shutil.which(program) is None:
        raise BackupError(_NO_PROGRAM.format(program=program))
    done = subprocess.run(
        (program, "--no-password", *options),
        env={**os.environ, **client_environment(url)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        reason = lines[0].removeprefix(f"{program}: ").removeprefix("error: ")
        raise BackupError(f"{program} failed: {reason.rstrip('.')}.")


def client_environment(url: URL) -> Mapping[str, str]:
    """Return what tells PostgreSQL's programs where the database is.

    In the environment, because everybody may read the arguments of a process.
    """
    given: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        **url.query,
    }
    names = {
        option.keyword.decode(): option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar
    }
    return {
        names[key]: str(value)
        for key, value in given.items()
        if value is not None and key in names
    }


def is_empty_postgres(database: Database) -> bool:
    """Tell whether a PostgreSQL database has no table yet."""
    return not _tables(database)


def put_aside(database: Database, schema: str) -> None:
    """Move all tables of a PostgreSQL database into another schema."""
    with database.engine.begin() as connection:
        tables = inspect(connection).get_table_names()
        connection.exec_driver_sql(f"CREATE SCHEMA {_quoted(connection, schema)}")
        _move(connection, tables, "public", schema)


def take_back(database: Database, schema: str | None) -> None:
    """Drop all tables, and undo `put_aside` if there was any."""
    with database.engine.begin() as connection:
        for table in inspect(connection).get_table_names():
            name = _quoted(connection, table)
            connection.exec_driver_sql(f"DROP TABLE public.{name} CASCADE")
        if schema is None:
            return
        tables = inspect(connection).get_table_names(schema=schema)
        _move(connection, tables, schema, "public")
        connection.exec_driver_sql(f"DROP SCHEMA {_quoted(connection, schema)}")


def _move(connection: Connection, tables: list[str], old: str, new: str) -> None:
    for table in tables:
        name = f"{_quoted(connection, old)}.{_quoted(connection, table)}"
        connection.exec_driver_sql(
            f"ALTER TABLE {name} SET SCHEMA {_quoted(connection, new)}"
        )


def _tables(database: Database) -> list[str]:
    try:
        return inspect(database.engine).get_table_names()
    except OperationalError as error:
        # The driver's own words: SQLAlchemy's could quote the URL, and so a password.
        reason = " ".join(str(error.orig).split())
        raise BackupError(
            f"The database cannot be opened: {reason}. Check WORDKEEP_DATABASE_URL."
        ) from error


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
