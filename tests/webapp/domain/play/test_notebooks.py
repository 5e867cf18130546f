"""The notebook: everything a player wrote, found again and taken along."""

from __future__ import annotations

import json

import pytest

from tests.kit.world import World, counted_queries
from webapp.domain.play import notebook
from webapp.errors import InvalidInput, NotFound
from webapp.views.play import downloads


def messages(world: World, player: int, **given: object) -> list[str]:
    page = notebook.search(world.services, player_id=player, **given)  # type: ignore[arg-type]
    return [attempt.message for attempt in page.items]


def test_the_newest_come_first_a_page_at_a_time(world: World) -> None:
    ada = world.player()
    world.say(ada, "message")
    world.copy_attempt(ada, 44)
    found, before, sizes = [], None, []
    while True:
        page = notebook.search(world.services, player_id=ada, before=before)
        sizes.append(len(page.items))
        found += [attempt.message for attempt in page.items]
        before = page.next_before
        if before is None:
            break
    assert sizes == [20, 20, 5]
    assert found == [*(f"message {n}" for n in reversed(range(44))), "message"]


def test_search_looks_into_messages_replies_and_notes(world: World) -> None:
    ada = world.player()
    world.backend.enqueue("The moon is up.", "Nothing here.", "Nothing there.")
    for message in ("first", "The Moon?", "third"):
        world.say(ada, message)
    last = world.attempts(ada)[-1].id
    notebook.set_note(world.services, player_id=ada, attempt_id=last, note="moonlit")
    assert messages(world, ada, query="moon") == ["third", "The Moon?", "first"]
    assert messages(world, ada, query="nothing there") == ["third"]


@pytest.mark.parametrize("query", ["%", "_", "\\", "100%"])
def test_search_takes_characters_as_they_are(world: World, query: str) -> None:
    ada = world.player()
    world.say(ada, "plain words")
    world.say(ada, f"with {query} in it")
    assert messages(world, ada, query=query) == [f"with {query} in it"]


def test_search_by_level(world: World) -> None:
    ada = world.player()
    world.say(ada, "here")
    world.win(ada, "open")
    world.say(ada, "there", "told")
    assert messages(world, ada, level_id="told") == ["there"]
    assert messages(world, ada, level_id="nowhere") == []


def test_nobody_sees_anothers_attempts(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.say(ada, "mine")
    (row,) = world.attempts(ada)
    assert messages(world, bob) == []
    with pytest.raises(NotFound):
        notebook.find(world.services, player_id=bob, attempt_id=row.id)
    with pytest.raises(NotFound):
        notebook.set_note(world.services, player_id=bob, attempt_id=row.id, note="x")


@pytest.mark.parametrize("attempt_id", [0, -1, 999, 2**63, 10**30])
def test_an_impossible_id_is_not_found(world: World, attempt_id: int) -> None:
    ada = world.player()
    with pytest.raises(NotFound):
        notebook.find(world.services, player_id=ada, attempt_id=attempt_id)


def test_an_impossible_place_is_the_end(world: World) -> None:
    ada = world.player()
    world.say(ada, "here")
    assert messages(world, ada, before=10**30) == ["here"]
    assert messages(world, ada, before=-5) == []


def test_notes_are_kept_and_removed(world: World) -> None:
    ada = world.player()
    world.say(ada)
    (row,) = world.attempts(ada)
    note = notebook.set_note(
        world.services, player_id=ada, attempt_id=row.id, note=" a <b>note</b>\r\n"
    ).note
    assert note == "a <b>note</b>"
    notebook.set_note(world.services, player_id=ada, attempt_id=row.id, note="")
    assert world.attempts(ada)[0].note == ""
    for bad in ("x" * 2001, "nul \0"):
        with pytest.raises(InvalidInput):
            notebook.set_note(
                world.services, player_id=ada, attempt_id=row.id, note=bad
            )


def test_the_data_export_has_every_attempt(world: World) -> None:
    ada = world.player()
    world.say(ada, "message é")
    world.copy_attempt(ada, 204)
    lines = list(downloads.jsonl(world.services, player_id=ada))
    found = [json.loads(line) for line in lines]
    assert len(found) == 205
    assert set(found[0]) >= {"id", "level", "message", "reply", "status", "stages"}
    assert found[-1]["message"] == "message é"
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)


def test_a_message_cannot_break_out_of_the_markdown(world: World) -> None:
    ada = world.player()
    world.say(ada, "```\n# Not a heading\n````")
    text = "".join(downloads.markdown(world.services, player_id=ada))
    assert "`````text\n```\n# Not a heading\n````\n`````" in text


def test_a_page_takes_the_same_queries_for_any_number(world: World) -> None:
    ada = world.player()
    counts = []
    for number in (1, 2):
        for _ in range(number):
            world.say(ada)
        with counted_queries(world.db) as queries:
            notebook.search(world.services, player_id=ada)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_page_is_grouped_by_visit_and_says_which_one_won(world: World) -> None:
    ada = world.player()
    world.say(ada, "one")
    world.say(ada, "two")
    world.win(ada, "open")
    world.say(ada, "three")
    world.say(ada, "four", "talk")
    found = notebook.search(world.services, player_id=ada).visits
    told = [
        (v.level_title, v.number, v.ended_why, [e.attempt.message for e in v.entries])
        for v in found
    ]
    assert told == [
        ("The Talk Gate", 1, None, ["four"]),
        ("The Open Gate", 2, None, ["three"]),
        ("The Open Gate", 1, "win", ["two", "one"]),
    ]


def test_attempts_are_numbered_for_each_player(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    for n in range(4):
        world.say(bob, f"Bob {n}")
        world.say(ada, f"tea {n}" if n % 2 else f"milk {n}")
    for query, numbers in (("", [4, 3, 2, 1]), ("tea", [4, 2]), ("milk 0", [1])):
        page = notebook.search(world.services, player_id=ada, query=query)
        assert [entry.number for entry in page.entries] == numbers
    lines = downloads.jsonl(world.services, player_id=ada)
    assert [json.loads(line)["number"] for line in lines] == [4, 3, 2, 1]
    text = "".join(downloads.markdown(world.services, player_id=ada))
    assert "## The Open Gate, attempt 4 (" in text


def test_search_by_result(world: World) -> None:
    ada = world.player()
    world.hear(ada, "told")
    world.win(ada, "open")
    world.hear(ada, "held back", "echo")
    run = world.begin(ada, "broken off", "echo")
    next(run)
    run.close()
    assert messages(world, ada, result="won") == ["told"]
    assert messages(world, ada, result="answered") == ["told"]
    assert messages(world, ada, result="stopped") == ["held back"]
    assert messages(world, ada, result="no-reply") == ["broken off"]
    assert messages(world, ada, result="nonsense") == []


def test_a_search_that_is_too_long_is_told(world: World) -> None:
    ada = world.player()
    assert messages(world, ada, query="x" * 200) == []
    with pytest.raises(InvalidInput, match="at most 200 characters"):
        messages(world, ada, query="x" * 201)
