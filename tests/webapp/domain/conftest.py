"""The game on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.world import World, open_world, sqlite_copy


@pytest.fixture
def world(tmp_path: Path, migrated_file: Path) -> Iterator[World]:
    """Return the game without its pages."""
    world = open_world(tmp_path, sqlite_copy(migrated_file, tmp_path))
    yield world
    world.db.dispose()
    world.services.boot.close()
