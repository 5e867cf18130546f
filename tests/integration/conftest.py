"""The game on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.postgres import NoPostgres, Postgres, running_postgres
from tests.kit.world import World, open_world, sqlite_copy


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a running PostgreSQL server."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgres as why:
        pytest.skip(f"not tested on PostgreSQL: {why}")


@pytest.fixture(params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path
) -> Iterator[World]:
    """Return the game without its pages, on each kind of database."""
    if request.param == "sqlite":
        database = sqlite_copy(migrated_file, tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database = server.fresh()
    world = open_world(tmp_path, database)
    yield world
    world.db.dispose()
    world.services.boot.close()
