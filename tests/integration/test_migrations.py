"""Migrations make exactly the tables that the rows need, on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import event, inspect, select, text

from tests.kit import release
from tests.kit.faults import FullDisk
from tests.kit.postgres import Postgres
from tests.kit.world import START, World, open_world
from webapp.content.store import ContentStore
from webapp.db import Base, Database
from webapp.domain.generations.sweeping import sweep_interrupted
from webapp.domain.people import accounts
from webapp.domain.play import keep
from webapp.domain.play.disclosure import Disclosure
from webapp.migrations import MigrationError, alembic_config, migrate
from webapp.rows import INTERRUPTED, RUNNING, Attempt, Generation, LevelVersion


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a database without any table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/wordkeep.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(f"empty-{uuid4().hex}", create=True)
    database = Database(url)
    yield database
    database.dispose()


def test_migrations_make_what_the_rows_need(empty: Database) -> None:
    assert migrate(empty) is True
    # Raises if a migration is missing for any table, column, index or key.
    command.check(alembic_config(empty))
    wanted = {*Base.metadata.tables, "alembic_version"}
    assert set(inspect(empty.engine).get_table_names()) == wanted


def test_a_second_time_there_is_nothing_to_do(empty: Database) -> None:
    migrate(empty)
    assert migrate(empty) is False


def test_migrations_can_be_taken_back(empty: Database) -> None:
    migrate(empty)
    command.downgrade(alembic_config(empty), "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
    assert migrate(empty) is True


def test_a_newer_database_is_left_alone(empty: Database) -> None:
    migrate(empty)
    with empty.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MigrationError) as caught:
        migrate(empty)
    assert caught.value.message == (
        "The database was made by a newer version of Wordkeep. Update the program, "
        "or choose another folder with --instance."
    )


def test_rows_that_depend_on_others_are_checked_after_a_migration(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path}/wordkeep.db")
    migrate(database)
    with database.read() as session:
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.dispose()


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/wordkeep.db")
    with pytest.raises(MigrationError) as caught:
        migrate(database)
    assert caught.value.message == (
        "The database cannot be opened: unable to open database file. Check "
        "WORDKEEP_DATABASE_URL and that the instance folder can be written."
    )


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (
            "postgresql+psycopg://127.0.0.1:1/d?password=hus&h=er",
            "its address has an option that the driver does not know",
        ),
        (Path("file"), "file is not a database"),
    ],
)
def test_a_database_that_the_driver_refuses_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str | Path, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no database" * 100)
    with pytest.raises(MigrationError) as caught:
        migrate(Database(address))
    assert caught.value.message == (
        f"The database cannot be opened: {reason}. Check WORDKEEP_DATABASE_URL and "
        "that the instance folder can be written."
    )


@pytest.fixture
def old_world(empty: Database, tmp_path: Path) -> Iterator[World]:
    """Return the game on a database of the old release that has been migrated."""
    release.fill_old(empty)
    assert migrate(empty) is True
    world = open_world(tmp_path, empty)
    content = release.write_old_content(tmp_path / "old")
    store = ContentStore([content], poll_seconds=0.0, clock=lambda: time() + 10)
    world.services = replace(world.services, content=store)
    yield world
    world.services.boot.close()


def test_ten_thousand_attempts_are_shown_as_before(
    old_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The old release told times before the win as well, where a level shows all.
    monkeypatch.setattr(
        Disclosure,
        "ms",
        lambda known, ms: ms if known.is_solved or known.show == "full" else None,
    )
    told = release.read("shown")
    services = old_world.services
    with services.db.read() as session:
        rows = session.scalars(select(Attempt)).all()
        versions = {row.hash: row.body for row in session.scalars(select(LevelVersion))}
    assert len(rows) == 10_000
    assert len(Counter(row.status for row in rows)) == 6
    for row in rows:
        assert (row.feature, row.prompt) == ("attempt", None)
        defender = versions[row.content_hash]["defender"]
        assert row.settings == {key: defender[key] for key in row.settings}
        assert set(row.settings) == {"temperature", "top_p", "max_tokens"}
    # In full first: of these, a failure says what differs.
    for player_id, texts in told["in_full"].items():
        assert release.shown_to(services, int(player_id), texts) == texts
    assert release.boards(services) == told["boards"]
    for player_id, hashes in told["players"].items():
        texts = release.shown_to(services, int(player_id), hashes)
        shown = {kind: release.digest(value) for kind, value in texts.items()}
        assert (player_id, shown) == (player_id, hashes)
    _the_game_goes_on(old_world)


def _the_game_goes_on(world: World) -> None:
    """What old processes left is swept, ids go on, and a deletion takes everything."""
    services = world.services
    with services.db.read() as session:
        newest = session.scalar(select(Generation.id).order_by(Generation.id.desc()))
        going = session.scalars(select(Attempt).where(Attempt.status == RUNNING)).all()
    running, player = going[0].id, going[0].player_id or 0
    (services.settings.instance / "instance.id").write_text(
        release.read("rows")["instance"]
    )
    assert sweep_interrupted(services.db, services.settings.instance) == 40
    assert {r.id: r.status for r in world.attempts(player)}[running] == INTERRUPTED
    # A new season may have ended the visit meanwhile.
    world.secret(player)
    world.say(player, "Still here?")
    assert world.attempts(player)[-1].id == (newest or 0) + 1
    page = keep.level_page(services, player_id=player, level_id="open")
    assert page.conversation[-1].message == "Still here?"
    accounts.delete_player(services, player_id=player)
    with services.db.read() as session:
        for table in ("generations", "attempts"):
            orphans = text(
                f"SELECT count(*) FROM {table} WHERE id = :id"  # noqa: S608
            )
            assert session.scalar(orphans, {"id": running}) == 0


def test_all_attempts_are_taken_back(empty: Database) -> None:
    release.fill_old(empty, players=20)
    before = release.contents(empty)
    migrate(empty)
    with empty.write() as session:
        session.add(
            Generation(
                feature="elsewhere",
                boot_id="x",
                model="m",
                prompt="Once",
                settings={},
                seed=1,
                created_at=START,
            )
        )
    command.downgrade(alembic_config(empty), release.REVISION)
    after = release.contents(empty)
    assert _without_order(after) == _without_order(before)
    assert migrate(empty) is True


def _without_order(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Leave out in what order columns stand in a table that was changed."""
    found = {name: rows for name, rows in found.items() if name != "schema"}
    columns, indexes, *rows = found["generations"]
    return found | {
        "generations": [columns, indexes, *(sorted(map(str, r)) for r in rows)]
    }


class Fault(Exception):
    """The process broke off here."""


WRITING = ("CREATE", "INSERT", "ALTER", "UPDATE", "DROP", "DELETE")


class BreakOff:
    """Raises at a statement of a migration that writes, the first being number 0."""

    def __init__(self, database: Database, at: int) -> None:
        self._at = at
        self.count = 0
        self._engine = database.engine
        event.listen(self._engine, "before_cursor_execute", self._count)

    def _count(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not statement.lstrip().startswith(WRITING):
            return
        number, self.count = self.count, self.count + 1
        if number == self._at:
            raise Fault(statement)

    def end(self) -> None:
        """Let everything pass."""
        event.remove(self._engine, "before_cursor_execute", self._count)


def test_a_fault_at_any_change_leaves_the_old_database(empty: Database) -> None:
    release.fill_old(empty, players=4)
    before = release.contents(empty)
    # Each takes all the statements before it again, so the two databases share them.
    broken = 0 if empty.engine.dialect.name == "sqlite" else 2
    while True:
        fault = BreakOff(empty, broken)
        try:
            migrate(empty)
        except Fault:
            fault.end()
            assert release.contents(empty) == before
            broken += 4
        else:
            fault.end()
            break
    assert broken > 15
    command.check(alembic_config(empty))
    with empty.read() as session:
        rows = session.scalars(select(Attempt).order_by(Attempt.id))
        kept = [row.message for row in rows]
    assert kept == [row["message"] for row in release.old_attempts(players=4)]


_DYING = """
import os, signal, sys
from sqlalchemy import event
from webapp.db import Database
from webapp.migrations import migrate

database = Database(sys.argv[1])

def die(connection, cursor, statement, *rest):
    if statement.lower().startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(database.engine, "after_cursor_execute", die)
migrate(database)
"""


@pytest.mark.parametrize("last", ["insert into attempts", "update alembic_version"])
def test_a_process_that_is_killed_leaves_the_old_database(
    empty: Database, last: str
) -> None:
    release.fill_old(empty, players=20)
    before = release.contents(empty)
    url = empty.engine.url.render_as_string(hide_password=False)
    command_line = [sys.executable, "-c", _DYING, url, last]
    done = subprocess.run(command_line, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -9
    assert release.contents(empty) == before
    assert migrate(empty) is True


def test_a_full_disk_leaves_the_old_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/wordkeep.db")
    release.fill_old(database, players=60)
    before = release.contents(database)
    disk = FullDisk(database)
    with pytest.raises(MigrationError) as caught:
        migrate(database)
    assert "could not be brought up to date: database or disk is full. It was" in str(
        caught.value
    )
    disk.end()
    assert release.contents(database) == before
    assert migrate(database) is True
    database.dispose()


def test_a_row_that_would_point_to_nothing_stops_the_migration(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/wordkeep.db")
    release.fill_old(database, players=4)
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute(
            "DELETE FROM visits WHERE id IN (SELECT visit_id FROM generations)"
        )
        driver.execute("PRAGMA foreign_keys=ON")
    before = release.contents(database)
    with pytest.raises(MigrationError, match="would point to nothing in visits"):
        migrate(database)
    assert release.contents(database) == before
    database.dispose()
