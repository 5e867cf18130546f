"""The small keep as what is shipped, and a folder for content of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import time

import pytest

from tests.kit.content import add_proofs, write_content
from tests.kit.world import World, open_world, sqlite_copy
from webapp.content.store import ContentStore

LESSON = """\
---
title: A lesson
idea: One idea.
minutes: 5
can_do: do it
---
Read this.
"""


@pytest.fixture
def world(
    tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Return the game; `world.content` is the installation's own folder."""
    monkeypatch.setattr("webapp.settings.PROJECT", tmp_path / "project")
    shipped = write_content(tmp_path / "project" / "challenges")
    add_proofs(shipped)
    track = shipped / "lessons" / "basics"
    track.mkdir(parents=True)
    (track / "track.yaml").write_text("title: Basics\nstory: You can.\nplace: 1\n")
    (track / "01-first.md").write_text(LESSON)
    world = open_world(tmp_path, sqlite_copy(migrated_file, tmp_path))
    settings = world.services.settings
    settings.content.mkdir()
    content = ContentStore(settings.roots, poll_seconds=0.0, clock=lambda: time() + 10)
    world.services = replace(world.services, content=content)
    world.content = settings.content
    yield world
    world.db.dispose()
    world.services.boot.close()
