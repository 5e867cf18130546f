"""A PostgreSQL server of Debian's packages, for the time of a test run.

It listens on a socket in a folder of its own and on no port.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from webapp.db import Database
from webapp.migrations import migrate

BINARIES = Path("/usr/lib/postgresql")
# The server refuses to run as root; either of these exists on Debian.
SERVANTS = ("postgres", "nobody")


class NoPostgres(Exception):
    """No server can be had; the text says why."""


class Postgres:
    """A running server with a template that has all tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        database = Database(self.url("migrated", create=True))
        migrate(database)
        database.dispose()

    def url(self, name: str, *, create: bool = False) -> str:
        """Return the URL of a database."""
        if create:
            self._run(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://wordkeep@/{name}?host={self.folder}"

    def fresh(self) -> Database:
        """Return a new database with all tables and no rows."""
        self._count += 1
        name = f"world{self._count}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE migrated')
        return Database(self.url(name))

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server and stop it at the end; raise NoPostgres if there is none."""
    binaries = max(BINARIES.glob("*/bin"), default=None)
    if binaries is None or not (binaries / "initdb").exists():
        raise NoPostgres(f"no PostgreSQL under {BINARIES}: apt-get install postgresql")
    # A short name: the path of a socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="wk-pg-", dir="/tmp"))
    servant = _servant()
    try:
        if servant is not None:
            shutil.chown(folder, servant)
        data = folder / "data"
        _call(servant, binaries / "initdb", "-D", data, "-U", "wordkeep", "-N")
        # Tests lose nothing in a power cut.
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        control = (binaries / "pg_ctl", "-D", data, "-w")
        log = ("-l", folder / "log")
        _call(servant, *control, *log, "-o", options, "start")
        try:
            yield Postgres(folder)
        finally:
            _call(servant, *control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _servant() -> str | None:
    """Return the user who runs the server; None: the present one."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    for name in SERVANTS:
        if name in known:
            return name
    raise NoPostgres("there is no user but root to run PostgreSQL as")


def _call(servant: str | None, *command: str | Path) -> None:
    prefix = ["runuser", "-u", servant, "--"] if servant else []
    done = subprocess.run(
        [*prefix, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        check=False,
    )
    if done.returncode != 0:
        raise NoPostgres(f"{Path(command[0]).name} failed: {done.stdout[-500:]}")
