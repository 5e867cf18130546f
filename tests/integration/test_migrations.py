"""Migrations make exactly the tables that the rows need, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from tests.kit.postgres import Postgres
from webapp.db import Base, Database
from webapp.migrations import MigrationError, alembic_config, migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a database without any table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/wordkeep.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(f"empty-{request.node.name}", create=True)
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
