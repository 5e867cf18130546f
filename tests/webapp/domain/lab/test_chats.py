"""Conversations that are kept: found again, named, shared with a class."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kit.world import World
from webapp.domain.lab import chats
from webapp.domain.lab.bench import Bench, Turn
from webapp.domain.people import accounts, classes
from webapp.domain.people.roster import set_teaching
from webapp.errors import Conflict, InvalidInput, NotFound

RIVERS = Bench(
    turns=(Turn("user", "Tell me of rivers"), Turn("assistant", "100 % wet"))
)
STARS = Bench(mode="text", text="The stars  \n are far away" + "!" * 80)


@pytest.fixture
def ada(world: World) -> int:
    """Return a player."""
    return world.player("Ada")


def keep(world: World, player: int, bench: Bench = RIVERS) -> int:
    number = chats.keep(world.services, player_id=player, bench=bench)
    assert number is not None
    world.clock.move(minutes=1)
    return number


def titles(world: World, player: int, words: str = "") -> list[str]:
    found = chats.mine(world.services, player_id=player, words=words)
    return [line.title for line in found]


def test_what_is_kept_again_takes_the_place_of_what_was(world: World, ada: int) -> None:
    number = keep(world, ada)
    longer = replace(RIVERS, turns=(*RIVERS.turns, Turn("user", "More")), chat=number)
    assert keep(world, ada, longer) == number
    assert chats.find(world.services, player_id=ada, chat_id=number).bench == longer
    assert titles(world, ada) == ["Tell me of rivers"]


def test_a_search_looks_through_titles_and_words(world: World, ada: int) -> None:
    first = keep(world, ada)
    keep(world, ada, STARS)
    start = "The stars are far away" + "!" * 38 + "…"
    assert titles(world, ada) == [start, "Tell me of rivers"]
    assert titles(world, ada, "FAR") == [start]
    # Signs that mean something to a database are only signs.
    assert titles(world, ada, "100 %") == ["Tell me of rivers"]
    assert titles(world, ada, "1_0") == []
    chats.rename(world.services, player_id=ada, chat_id=first, name=" My  water ")
    assert titles(world, ada, "water") == ["My water"]
    keep(world, ada, replace(RIVERS, chat=first))
    assert titles(world, ada)[0] == "My water"


def test_a_name_is_one_line(world: World, ada: int) -> None:
    with pytest.raises(InvalidInput, match="A name has 1 to 80 characters"):
        chats.rename(world.services, player_id=ada, chat_id=keep(world, ada), name=" ")


def test_the_oldest_without_a_name_makes_room(
    world: World, ada: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats, "MOST_KEPT", 2)
    named = keep(world, ada)
    chats.rename(world.services, player_id=ada, chat_id=named, name="Rivers")
    keep(world, ada, Bench(text="second", mode="text"))
    third = keep(world, ada, Bench(text="third", mode="text"))
    assert titles(world, ada) == ["third", "Rivers"]
    chats.rename(world.services, player_id=ada, chat_id=third, name="Third")
    assert chats.keep(world.services, player_id=ada, bench=STARS) is None
    assert titles(world, ada) == ["Third", "Rivers"]
    assert keep(world, ada, replace(STARS, chat=third)) == third


def test_a_link_opens_for_the_class_and_its_teachers(world: World) -> None:
    services = world.services
    code = classes.add_class(services, name="7b").join_code
    ada, mate = (
        accounts.create_player(services, name=name, class_code=code).player_id
        for name in ("Ada", "Bob")
    )
    stranger = world.player("Cyd")
    teacher = accounts.create_player(services, name="Doe", role="instructor").player_id
    number = keep(world, ada, replace(RIVERS, runs=(5,)))
    key = chats.share(services, player_id=ada, chat_id=number)
    assert chats.share(services, player_id=ada, chat_id=number) == key

    def opens(player: int) -> bool:
        try:
            kept = chats.shared(services, player_id=player, key=key)
        except NotFound:
            return False
        # The reader's own from here on: nothing of it is the owner's.
        return kept.bench == RIVERS

    assert [opens(one) for one in (ada, mate, stranger, teacher)] == [
        True,
        True,
        False,
        False,
    ]
    set_teaching(services, class_name="7b", player_id=teacher, is_teaching=True)
    assert opens(teacher)
    chats.unshare(services, player_id=ada, chat_id=number)
    assert not opens(mate)


def test_who_has_no_class_shares_with_nobody(world: World, ada: int) -> None:
    number = keep(world, ada)
    with pytest.raises(Conflict, match="You are in no class"):
        chats.share(world.services, player_id=ada, chat_id=number)


def test_a_conversation_is_its_owners(world: World, ada: int) -> None:
    number, bob = keep(world, ada), world.player("Bob")
    for wrong in (number, 0, -1, 2**70):
        for act in (chats.find, chats.share, chats.unshare, chats.forget):
            with pytest.raises(NotFound, match="no such conversation"):
                act(world.services, player_id=bob, chat_id=wrong)
    # Somebody else's number in a form makes a new one.
    assert keep(world, bob, replace(RIVERS, chat=number)) != number
    chats.forget(world.services, player_id=ada, chat_id=number)
    assert titles(world, ada) == []
    assert titles(world, bob) == ["Tell me of rivers"]


def test_instructions_are_kept_for_each_player(world: World, ada: int) -> None:
    services = world.services
    assert chats.instructions(services, player_id=None) == ""
    chats.set_instructions(services, player_id=ada, text="I am 14.\r\nBe kind. ")
    assert chats.instructions(services, player_id=ada) == "I am 14.\nBe kind."
    assert chats.instructions(services, player_id=world.player("Bob")) == ""
    with pytest.raises(InvalidInput, match=r"more than 2,000 characters"):
        chats.set_instructions(services, player_id=ada, text="x" * 2_001)
    chats.set_instructions(services, player_id=ada, text="")
    assert chats.instructions(services, player_id=ada) == ""
