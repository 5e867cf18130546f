"""`./wordkeep check --play` for lessons: which are played, and what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.lessons import give_lessons, lesson, simple_panel, zo_panel
from tests.kit.world import World, open_world, sqlite_copy
from webapp.commands.panel_proofs import chosen_lessons, play_lessons
from webapp.content.lessons.proven import read_proven
from webapp.errors import ContentError


@pytest.fixture
def world(tmp_path: Path, migrated_file: Path) -> Iterator[World]:
    """Return a world with two lessons."""
    world = open_world(tmp_path, sqlite_copy(migrated_file, tmp_path))
    give_lessons(
        world,
        lesson(simple_panel(task="Be friendly."), lesson_id="basics/hello"),
        lesson(zo_panel(), lesson_id="useful/zo"),
    )
    yield world
    world.db.dispose()
    world.services.boot.close()


def test_lessons_are_chosen_by_id_or_track(world: World) -> None:
    index = world.services.content.current()

    def chosen(*named: str) -> list[str]:
        return [one.id for one in chosen_lessons(index, named)]

    assert chosen() == chosen("all") == ["basics/hello", "useful/zo"]
    assert chosen("useful") == chosen("useful/zo") == ["useful/zo"]
    with pytest.raises(ContentError, match='no lesson or track "useful/z"'):
        chosen("useful/z")


def test_a_matrix_is_printed_and_written(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index, path = world.services.content.current(), tmp_path / "proven.json"

    def play(*named: str) -> bool:
        return play_lessons(
            index,
            world.services.gateway,
            lessons=chosen_lessons(index, named),
            samples=4,
            seed=0,
            proven=path,
        )

    # The keeper never says hello.
    assert not play("basics")
    said = capsys.readouterr().out
    assert "basics/hello#hello  warden scripted  chat  1 of 1" in said
    assert "FAIL solved_by 1" in said
    assert "it said: Good evening, traveller." in said
    # The ways to cheat are tried on every panel, and told line by line.
    for way in ("untouched", "empty", "the task", "the answers", "say it"):
        assert re.search(rf"ok   {way} .* run +0%", said), way
    assert "0 of 1 panels hold." in said
    play("useful")
    rows = {row.panel: row for row in read_proven(path.read_bytes())}
    assert set(rows) == {"basics/hello#hello", "useful/zo#show"}
    assert rows["useful/zo#show"].verdict == "broken"
    # What was proven of a panel that has changed is of no use.
    give_lessons(world, lesson(zo_panel(max_tokens=7), lesson_id="useful/zo"))
    play("useful")
    (row,) = read_proven(path.read_bytes())
    assert (row.panel, row.solved_by) == ("useful/zo#show", (0.0,))
