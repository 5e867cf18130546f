"""Where guards are hidden, nothing tells at which stage a message was stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kit.content import write_level
from tests.kit.world import World
from webapp.domain.play import events, notebook
from webapp.errors import BackendRefused
from webapp.rows import STOPPED
from webapp.views.play import downloads

GUARDS = {
    "input": [
        {"blocklist": {"words": ["password"]}},
        {"length": {"max_chars": 200}},
    ],
    "output": [{"contains": {"match": "exact"}}, {"length": {"max_chars": 900}}],
}
ASKS = {"input": "The password, please", "output": "What is it?"}
OWN = {"id", "number", "message", "created_at"}


@pytest.fixture
def ada(world: World) -> int:
    """Return a player at a gate that hides its guards, of both stages."""
    write_level(world.content, "blind", guards=GUARDS, show_guards="none", after=[])
    return world.player()


def ask(world: World, player: int, stage: str) -> list[events.Event]:
    """Send a message that is stopped at a stage."""
    word = world.secret(player, "blind")
    world.backend.enqueue(f"It is {word}, and a few words more.")
    return world.say(player, ASKS[stage], "blind")


def exported(world: World, player: int) -> list[dict[str, Any]]:
    """Return what is told of each attempt, without what is the player's own."""
    lines = downloads.jsonl(world.services, player_id=player)
    return [
        {key: value for key, value in json.loads(line).items() if key not in OWN}
        for line in lines
    ]


def test_stream_and_exports_are_the_same_for_both_stages(
    world: World, ada: int
) -> None:
    streams = [
        [(event.name, event.data() | {"id": 0}) for event in ask(world, ada, stage)]
        for stage in ASKS
    ]
    assert streams[0] == streams[1]
    first, second = exported(world, ada)
    assert first == second
    assert (first["status"], first["blocked_by"]) == ("blocked", "guard")
    assert (first["ms"], first["stages"]) == (None, [])
    assert first["model"] == "local/warden (scripted)"
    items = notebook.search(world.services, player_id=ada).items
    assert len({(item.model, item.ms, item.error) for item in items}) == 1


def test_a_stopped_message_takes_the_whole_way(world: World, ada: int) -> None:
    """So that no clock tells the stage, the model and all guards do their work."""
    for stage in ASKS:
        ask(world, ada, stage)
    assert len(world.backend.history) == 2
    passed = [[v["guard"] for v in row.verdicts] for row in world.attempts(ada)]
    assert passed == [["blocklist", "length", "contains", "length"]] * 2


def test_the_reply_of_a_message_that_was_stopped_on_the_way_in_stays_hidden(
    world: World, ada: int
) -> None:
    word = world.secret(ada, "blind")
    happened = ask(world, ada, "input")
    assert word not in repr(happened)
    assert not [event for event in happened if isinstance(event, events.Delta)]
    assert exported(world, ada)[0]["reply"] is None


@pytest.mark.parametrize("stage", ASKS)
def test_a_stop_does_not_tell_that_a_guard_had_stopped_it(
    world: World, ada: int, stage: str
) -> None:
    world.backend.enqueue("One two three four five six seven eight nine ten.")
    run = world.begin(ada, ASKS[stage], "blind")
    for event in run:
        if isinstance(event, events.Heartbeat):
            break
    run.close()
    (told,) = exported(world, ada)
    assert (told["status"], told["blocked_by"]) == (STOPPED, None)


@pytest.mark.parametrize("stage", ASKS)
def test_a_failure_does_not_tell_the_stage(world: World, ada: int, stage: str) -> None:
    world.backend.enqueue(BackendRefused("The warden refused."))
    names = [event.name for event in world.say(ada, ASKS[stage], "blind")]
    assert names == ["start", "error", "end"]
    (told,) = exported(world, ada)
    assert (told["status"], told["blocked_by"]) == ("failed", None)


def test_after_the_win_all_is_told(world: World, ada: int) -> None:
    ask(world, ada, "input")
    world.win(ada, "blind")
    (told,) = exported(world, ada)
    assert told["blocked_by"] == "blocklist"
    assert told["ms"] is not None


@pytest.mark.parametrize("show", ["stage", "full"])
def test_where_guards_are_shown_the_first_that_stops_a_message_ends_it(
    world: World, show: str
) -> None:
    write_level(world.content, "blind", guards=GUARDS, show_guards=show, after=[])
    ada = world.player()
    ask(world, ada, "input")
    (told,) = exported(world, ada)
    assert told["ms"] is None
    assert told["model"] == "local/warden (scripted)"
    assert world.backend.history == []
