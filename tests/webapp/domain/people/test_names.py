"""Names and aliases: what is refused, what is taken, and by whom."""

from __future__ import annotations

import time

import pytest

from tests.kit.clocks import patient
from tests.kit.world import World
from webapp.domain.people import accounts, classes, roster
from webapp.domain.people.roster import COMMAND
from webapp.errors import Conflict, InvalidInput
from webapp.rows import INSTRUCTOR, Player, TakenName

UNREADABLE = [
    "\u3164\u3164",
    "\ufe0f\ufe0f",
    "\u034f\u034f",
    "\u2800\u2800",
    "Mina\u3164",
    "Mi\u200cna",
    "\u0301Mina",
    "Mi" + "\u0303" * 20 + "na",
]
TWINS = ["\u041cina", "M\u0456na", "Min\u0430", "\u039cI\u039dA", "Ｍｉｎａ", "Rnina"]


def alias(world: World, player: int, name: str) -> None:
    accounts.set_alias(world.services, player_id=player, alias=name, is_listed=True)


def alias_of(world: World, player: int) -> str | None:
    info = accounts.player_info(world.services, player)
    assert info is not None
    return info.alias


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_name_that_cannot_be_read_is_refused_everywhere(
    world: World, name: str
) -> None:
    ada = world.player("Ada")
    with pytest.raises(InvalidInput):
        world.player(name)
    with pytest.raises(InvalidInput):
        alias(world, ada, f"{name} ")
    with pytest.raises(InvalidInput):
        classes.add_class(world.services, name=name)
    assert alias_of(world, ada) is None


@pytest.mark.parametrize(
    "name",
    [
        "ab" + "\u0303" * 100_000,
        "ab\U0001f3f4" + "\U000e0061" * 100_000,
        "ab❤" + "\ufe0f" * 100_000,
        "a" * 100_000,
        "\u200d" * 100_000,
        "\ud83d\u200c\ud83d",
    ],
)
def test_a_huge_name_is_refused_at_once(world: World, name: str) -> None:
    began = time.monotonic()
    with pytest.raises(InvalidInput):
        world.player(name)
    assert time.monotonic() - began < patient(5)


def test_the_invisible_character_is_named(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.player("Mina\u3164")
    assert caught.value.message == (
        "This nickname has the invisible character U+3164. Choose another one."
    )


@pytest.mark.parametrize(
    "name", ["علی\u200cرضا", "क्\u200dष लाल", "👩🏽\u200d🚀 Mae", "क्षत्रिय" * 5]
)
def test_joiners_that_are_needed_are_welcome(world: World, name: str) -> None:
    info = accounts.player_info(world.services, world.player(name))
    assert info is not None
    assert info.name == name


@pytest.mark.parametrize("twin", TWINS)
def test_a_name_that_looks_the_same_is_taken(world: World, twin: str) -> None:
    world.player("Mina")
    with pytest.raises(Conflict) as caught:
        world.player(twin)
    assert caught.value.code == "name_taken"
    assert caught.value.message == (
        f'Somebody in this class is already called "{twin}", or has a name that looks '
        "the same. Choose another one, or sign in if it is you."
    )
    code = classes.add_class(world.services, name="7b").join_code
    world.player(twin, class_code=code)


def test_names_and_aliases_share_one_space(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    for taken in ("ADA", "\u0410da"):
        with pytest.raises(Conflict, match="already called"):
            alias(world, bob, taken)
    alias(world, ada, "Countess")
    with pytest.raises(Conflict, match="already called"):
        alias(world, bob, "Count\u0435ss")
    with pytest.raises(Conflict, match="already called"):
        world.player("countess")
    alias(world, bob, "bob")
    alias(world, bob, "Bob")
    assert alias_of(world, bob) == "Bob"


def test_an_alias_that_is_given_up_is_free_again(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    alias(world, ada, "Countess")
    alias(world, ada, "Duchess")
    alias(world, bob, "Countess")
    alias(world, ada, "")
    world.player("Duchess")
    with pytest.raises(Conflict):
        world.player("Ada")
    accounts.delete_player(world.services, player_id=ada)
    world.player("Ada")
    with world.db.read() as session:
        owners = {row.player_id for row in session.query(TakenName)}
        assert owners == {row.id for row in session.query(Player)}


def test_an_instructors_name_is_reserved_in_every_class(world: World) -> None:
    code = classes.add_class(world.services, name="7b").join_code
    gray = world.player("Ms Gray", role=INSTRUCTOR)
    alias(world, gray, "The Boss")
    bob = world.player("Bob", class_code=code)
    for name in ("ms gray", "Ms Gr\u0430y", "the boss"):
        with pytest.raises(Conflict, match="instructor"):
            world.player(name, class_code=code)
        with pytest.raises(Conflict, match="instructor"):
            alias(world, bob, name)
    assert alias_of(world, bob) is None


def test_an_instructor_cannot_take_what_a_player_has(world: World) -> None:
    code = classes.add_class(world.services, name="7b").join_code
    bob = world.player("Bob", class_code=code)
    alias(world, bob, "Ms Gray")
    with pytest.raises(Conflict) as caught:
        world.player("Ms Gray", role=INSTRUCTOR)
    assert caught.value.message == (
        'In the class "7b", somebody has the name "Ms Gray", or one that looks the '
        "same. An instructor's name must not be mistaken for anybody else's: choose "
        "another one."
    )


def test_a_name_that_an_instructor_changes_is_free_again(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    roster.rename(world.services, actor=COMMAND, player_id=ada, name="Eve")
    world.player("\u0410da")
    for twin in ("\u0415ve", "EVE"):
        with pytest.raises(Conflict, match="already called"):
            roster.rename(world.services, actor=COMMAND, player_id=bob, name=twin)
        with pytest.raises(Conflict, match="already called"):
            roster.set_alias(world.services, actor=COMMAND, player_id=bob, alias=twin)


def test_moving_takes_name_and_alias_along(world: World) -> None:
    code = classes.add_class(world.services, name="7b").join_code
    ada = world.player("Ada")
    alias(world, ada, "Countess")
    accounts.join_class(world.services, player_id=ada, code=code)
    world.player("Ada")
    other = world.player("Countess")
    with pytest.raises(Conflict, match="Countess"):
        accounts.join_class(world.services, player_id=other, code=code)
    with pytest.raises(Conflict, match="already called"):
        world.player("Countess", class_code=code)


def test_sign_in_takes_a_name_however_it_is_typed(world: World) -> None:
    ali = world.player("علی\u200cرضا", password="correct horse")
    zoe = world.player("Zo\u00eb", password="battery staple")
    for name in ("علیرضا", " علی\u200cرضا "):
        found = accounts.sign_in(world.services, name=name, password="correct horse")
        assert found.player_id == ali
    found = accounts.sign_in(
        world.services, name="ＺＯＥ\u0308", password="battery staple"
    )
    assert found.player_id == zoe


@pytest.mark.parametrize("twin", ["10B", "１０b", "1Ob", " 10b "])
def test_a_class_that_looks_the_same_is_there_already(world: World, twin: str) -> None:
    classes.add_class(world.services, name="10b")
    with pytest.raises(Conflict) as caught:
        classes.add_class(world.services, name=twin)
    assert caught.value.message == 'There is already a class named "10b".'


def test_a_class_is_found_however_it_is_typed(world: World) -> None:
    code = classes.add_class(world.services, name="10b").join_code
    assert classes.join_code(world.services, name=" 10B") == code
    assert classes.start_season(world.services, name="１０b").season == 2
