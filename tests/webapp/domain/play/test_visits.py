"""Which levels are open, and when a password changes."""

from __future__ import annotations

import pytest

from tests.kit.content import WORDS, write_level
from tests.kit.world import World
from webapp.domain.people import accounts, classes
from webapp.domain.play import hints, keep, visits
from webapp.domain.play.visits import VisitEnded
from webapp.errors import Forbidden, NotFound
from webapp.rows import Visit


def test_levels_open_in_order(world: World) -> None:
    ada = world.player()
    with pytest.raises(Forbidden, match="First open: The Open Gate") as caught:
        world.say(ada, level="told")
    assert caught.value.code == "locked"
    world.win(ada, "open")
    assert world.reply(ada, "Hello", "told").text


def test_a_level_may_need_several(world: World) -> None:
    ada = world.player()
    world.win(ada, "open", "told")
    with pytest.raises(Forbidden, match="The Echo Gate, The Blind Gate"):
        world.guess(ada, "anything", "last")


def test_the_next_gate_is_one_that_can_be_won(world: World) -> None:
    ada = world.player()
    rest = ["echo", "blind", "full", "talk", "wary"]
    world.win(ada, "open", *rest[:-1])
    # After it stands the last gate, which waits for "told" as well.
    outcome = world.guess(ada, world.secret(ada, "wary"), "wary")
    assert outcome.next == "told"
    page = keep.level_page(world.services, player_id=ada, level_id="wary")
    assert page.solved is not None
    assert (page.solved.next_id, page.solved.next_title) == ("told", "The Told Gate")
    world.win(ada, "told")
    outcome = world.guess(ada, world.secret(ada, "last"), "last")
    assert outcome.next is None


@pytest.mark.parametrize("act", ["say", "guess", "reset", "hint", "page"])
def test_a_locked_level_does_nothing(world: World, act: str) -> None:
    ada = world.player()
    doors = {
        "say": lambda: world.say(ada, level="told"),
        "guess": lambda: world.guess(ada, "word", "told"),
        "reset": lambda: visits.reset(world.services, player_id=ada, level_id="told"),
        "hint": lambda: hints.take_hint(
            world.services, player_id=ada, level_id="told", n=1
        ),
        "page": lambda: keep.level_page(world.services, player_id=ada, level_id="told"),
    }
    with pytest.raises(Forbidden):
        doors[act]()
    assert world.attempts(ada) == []
    assert world.visits(ada, "told") == []


def test_each_player_level_and_visit_has_its_own_secret(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.win(ada, "open")
    world.win(bob, "open")
    found = {
        world.secret(player, level)
        for player in (ada, bob)
        for level in ("open", "told", "echo")
    }
    assert len(found) == 6
    assert found <= set(WORDS)


def test_the_secret_stays_within_a_visit(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    world.say(ada)
    world.guess(ada, "wrong")
    assert world.secret(ada) == first
    assert first in world.backend.history[0].messages[0]["content"]


def test_a_reset_changes_the_secret(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    visits.reset(world.services, player_id=ada, level_id="open")
    assert world.secret(ada) != first
    assert [v.ended_why for v in world.visits(ada)] == ["reset", None]


def test_a_reset_without_a_visit_is_no_error(world: World) -> None:
    ada = world.player()
    visits.reset(world.services, player_id=ada, level_id="open")
    assert world.visits(ada) == []


def test_a_win_ends_the_visit(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    world.win(ada, "open")
    assert world.secret(ada) != first
    assert [v.ended_why for v in world.visits(ada)] == ["win", None]


def test_a_new_season_changes_all_secrets(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    classes.start_season(world.services, name=classes.OPEN_CLASS)
    page = keep.level_page(world.services, player_id=ada, level_id="open")
    assert page.notice == visits.END_NOTICES["season"]
    assert world.secret(ada) != first
    assert [v.ended_why for v in world.visits(ada)] == ["season", None]


def test_an_edited_word_list_ends_the_visit(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    path = world.content / "words" / "syllables.txt"
    path.write_text("\n".join(word[::-1] for word in WORDS))
    page = keep.level_page(world.services, player_id=ada, level_id="open")
    assert page.notice == visits.END_NOTICES["words"]
    with pytest.raises(VisitEnded, match="list of passwords was edited"):
        world.guess(ada, first)
    assert [v.ended_why for v in world.visits(ada)] == ["words"]
    assert world.guess(ada, first).correct is False
    assert [v.ended_why for v in world.visits(ada)] == ["words", None]


def test_other_edits_do_not_end_a_visit(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    write_level(world.content, "open", story="Another story.")
    assert (
        keep.level_page(world.services, player_id=ada, level_id="open").card.story
        == "Another story."
    )
    assert world.secret(ada) == first


def test_an_unknown_level_is_not_found(world: World) -> None:
    ada = world.player()
    with pytest.raises(NotFound):
        world.say(ada, level="nowhere")
    with pytest.raises(NotFound):
        world.guess(ada, "word", "../etc")


def test_the_secret_is_in_no_row(world: World) -> None:
    ada = world.player()
    secret = world.secret(ada)
    with world.db.read() as session:
        visit = session.query(Visit).one()
        stored = [str(getattr(visit, c.name)) for c in Visit.__table__.columns]
    assert not any(secret in value for value in stored)


def test_a_deleted_players_secrets_do_not_come_again(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    accounts.delete_player(world.services, player_id=ada)
    bob = world.player("Bob")
    assert bob != ada
    assert world.secret(bob) != first
