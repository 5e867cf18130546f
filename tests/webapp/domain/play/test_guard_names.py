"""Guards are called by the names that their level gives them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kit.content import write_level
from tests.kit.world import World
from webapp.domain.play import events, guard_names, notebook
from webapp.domain.play.guard_names import NamedGuard
from webapp.plugins.guard import guards
from webapp.views.play import downloads

# Two of one kind in one list, and that kind at both stages.
GUARDS: dict[str, Any] = {
    "input": [{"length": {"max_chars": 40}}, {"blocklist": {"words": ["please"]}}],
    "output": [{"length": {"max_chars": 900}}, {"length": {"min_chars": 2}}],
}
NAMES: dict[str, Any] = {
    "input": ["the scribe", "Old Tom"],
    "output": ["the second scribe", "the third scribe"],
}


def write(world: World, **changes: object) -> None:
    rules = {"guards": GUARDS, "guard_names": NAMES, "show_guards": "stage"} | changes
    write_level(world.content, "echo", after=[], **rules)


def told(happened: list[events.Event]) -> list[str]:
    """Return the names that the stream of an attempt tells."""
    return [e.guard_name for e in happened if isinstance(e, events.GuardEvent)]


def kept(world: World, player: int) -> list[str]:
    """Return the names that the notebook tells of the last attempt."""
    (last, *_) = notebook.search(world.services, player_id=player).items
    return [verdict.guard_name for verdict in last.verdicts]


def test_guards_of_one_kind_have_names_of_their_own(world: World) -> None:
    write(world)
    ada = world.player()
    world.backend.enqueue("Good evening.")
    happened = world.say(ada, "Hello", "echo")
    everybody = [*NAMES["input"], *NAMES["output"]]
    assert told(happened) == kept(world, ada) == everybody
    world.backend.enqueue("x")
    assert told(world.say(ada, "Hello", "echo")) == everybody
    (last, *_) = notebook.search(world.services, player_id=ada).items
    assert (last.stopped_by, last.blocked_by) == ("the third scribe", "length")
    for message, name in (("x" * 41, "the scribe"), ("Yes, please.", "Old Tom")):
        assert told(world.say(ada, message, "echo"))[-1] == name


def test_the_field_s_term_and_the_kind_stand_beside_the_name(world: World) -> None:
    write(
        world,
        guards={"output": [{"contains": {"match": "exact"}}]},
        guard_names={"output": ["the listener"]},
    )
    ada = world.player()
    world.hear(ada, "What is it?", "echo")
    (line,) = downloads.jsonl(world.services, player_id=ada)
    (stage,) = json.loads(line)["stages"]
    shown = [stage[key] for key in ("guard", "guard_name", "guard_term")]
    assert shown == ["contains", "the listener", "output filter"]
    document = "".join(downloads.markdown(world.services, player_id=ada))
    assert "\nStopped by: the listener.\n" in document


def test_without_names_a_guard_has_plain_words(world: World) -> None:
    write(world, guard_names={"input": NAMES["input"]})
    ada = world.player()
    world.backend.enqueue("Good evening.")
    world.say(ada, "Hello", "echo")
    plain = ["the length check", "the length check"]
    assert kept(world, ada) == [*NAMES["input"], *plain]


def test_another_name_is_read_everywhere_and_another_guard_is_not_renamed(
    world: World,
) -> None:
    write(world)
    ada = world.player()
    world.backend.enqueue("Good evening.")
    world.say(ada, "Hello", "echo")
    write(world, guard_names=NAMES | {"input": ["the clerk", "Old Tom"]})
    assert kept(world, ada)[:2] == ["the clerk", "Old Tom"]
    swapped = {"input": GUARDS["input"][::-1], "output": []}
    write(world, guards=swapped, guard_names={"input": NAMES["input"]})
    assert kept(world, ada) == [
        "the length check",
        "the word filter",
        "the length check",
        "the length check",
    ]


def test_where_guards_are_hidden_no_name_is_told_before_the_win(world: World) -> None:
    write(world, show_guards="none")
    ada = world.player()
    happened = world.say(ada, "Yes, please.", "echo")
    assert told(happened) == kept(world, ada) == []
    (last, *_) = notebook.search(world.services, player_id=ada).items
    assert last.stopped_by == guard_names.SOME_GUARD
    seen = [
        *(repr(event.data()) for event in happened),
        *downloads.jsonl(world.services, player_id=ada),
        *downloads.markdown(world.services, player_id=ada),
    ]
    hidden = ("scribe", "Old Tom", "blocklist", "word filter")
    assert [word for word in hidden if any(word in text for text in seen)] == []
    world.win(ada, "echo")
    assert kept(world, ada)[:2] == NAMES["input"]


@pytest.mark.parametrize("stage", ["input", "output"])
def test_every_guard_of_ours_has_plain_words_and_a_term(world: World, stage) -> None:
    for kind, guard in guards.items():
        assert guard.plain_name.startswith("the "), kind
        found = guard_names.named(None, stage, kind, 0)
        assert found.name == guard.plain_name
        assert found.term
        assert "{" not in found.term


def test_a_guard_that_is_gone_or_says_nothing_of_itself_is_called_by_its_kind() -> None:
    found = guard_names.named(None, "input", "word-count_two", 0)
    assert found == NamedGuard(
        kind="word-count_two",
        stage="input",
        name="the word count two guard",
        term="word count two",
    )
