"""What instructors do for their own classes, and for no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.kit.world import World
from webapp.domain.people import access, accounts, classes, roster
from webapp.domain.people.roster import COMMAND, Actor
from webapp.domain.play import leaderboard
from webapp.errors import Conflict, Forbidden, InvalidInput, NotFound, NotSignedIn
from webapp.rows import ClassAct, Player, Teaching


def actor(world: World, player: int) -> Actor:
    info = accounts.player_info(world.services, player)
    assert info is not None
    return roster.actor_of(info)


@pytest.fixture
def code(world: World) -> str:
    """Return the join code of a class."""
    return classes.add_class(world.services, name="7b").join_code


@pytest.fixture
def gray(world: World, code: str) -> Actor:
    """Return the instructor of the class."""
    teacher = world.player("Ms Gray", class_code=code, role="instructor")
    return actor(world, teacher)


@pytest.fixture
def ada(world: World, code: str) -> int:
    """Return a player of the class, with a win."""
    ada = world.player("Ada", class_code=code)
    world.win(ada, "open")
    return ada


def info_of(world: World, player: int) -> accounts.PlayerInfo:
    info = accounts.player_info(world.services, player)
    assert info is not None
    return info


ACTS: list[Callable[[World, Actor, int], object]] = [
    lambda w, a, p: roster.rename(w.services, actor=a, player_id=p, name="Eve"),
    lambda w, a, p: roster.set_alias(w.services, actor=a, player_id=p, alias="Eve"),
    lambda w, a, p: roster.hide(w.services, actor=a, player_id=p, is_hidden=True),
    lambda w, a, p: roster.give_code(w.services, actor=a, player_id=p),
    lambda w, a, p: roster.remove(w.services, actor=a, player_id=p),
    lambda w, a, p: roster.member(w.services, actor=a, player_id=p),
]


@pytest.mark.parametrize("act", ACTS)
def test_only_players_of_the_instructors_own_classes(
    world: World, gray: Actor, act: Callable[[World, Actor, int], object]
) -> None:
    elsewhere = world.player("Bob")
    for player in (elsewhere, gray.player_id or 0, 999, 2**40, -1):
        with pytest.raises(Forbidden, match="no class that you teach"):
            act(world, gray, player)
    assert info_of(world, elsewhere).name == "Bob"


def test_moving_to_a_class_does_not_make_one_its_instructor(
    world: World, code: str, ada: int
) -> None:
    other = world.player("Mr Brown", role="instructor")
    accounts.join_class(world.services, player_id=other, code=code)
    with pytest.raises(Forbidden):
        roster.hide(
            world.services, actor=actor(world, other), player_id=ada, is_hidden=True
        )


def test_an_admin_and_the_command_act_everywhere(world: World, ada: int) -> None:
    admin = actor(world, world.player("Root", role="admin"))
    for one, name in ((admin, "Eve"), (COMMAND, "Ida")):
        roster.rename(world.services, actor=one, player_id=ada, name=name)
        assert info_of(world, ada).name == name


def test_rename(world: World, gray: Actor, ada: int, code: str) -> None:
    world.player("Bob", class_code=code)
    with pytest.raises(Conflict, match="bob"):
        roster.rename(world.services, actor=gray, player_id=ada, name="bob")
    with pytest.raises(InvalidInput):
        roster.rename(world.services, actor=gray, player_id=ada, name="x")
    roster.rename(world.services, actor=gray, player_id=ada, name="Eve")
    assert info_of(world, ada).name == "Eve"
    assert leaderboard.board(world.services).rows[0].alias == "Eve"


def test_a_rude_alias_is_changed_or_removed(
    world: World, gray: Actor, ada: int
) -> None:
    accounts.set_alias(world.services, player_id=ada, alias="Rude", is_listed=True)
    for alias, shown in (("Nice", "Nice"), ("", "Ada")):
        roster.set_alias(world.services, actor=gray, player_id=ada, alias=alias)
        assert leaderboard.board(world.services).rows[0].alias == shown


def test_a_hidden_player_is_on_no_board(world: World, gray: Actor, ada: int) -> None:
    roster.hide(world.services, actor=gray, player_id=ada, is_hidden=True)
    accounts.set_alias(world.services, player_id=ada, alias="", is_listed=True)
    board = leaderboard.board(world.services)
    assert board.rows == ()
    assert board.levels[0].winners == 0
    roster.hide(world.services, actor=gray, player_id=ada, is_hidden=False)
    assert len(leaderboard.board(world.services).rows) == 1


def test_a_lost_code_is_replaced(world: World, gray: Actor, code: str) -> None:
    new = accounts.create_player(world.services, name="Bob", class_code=code)
    key = access.begin(world.services, player_id=new.player_id)
    fresh = roster.give_code(world.services, actor=gray, player_id=new.player_id)
    assert accounts.player_by_key(world.services, key) is None
    with pytest.raises(NotSignedIn):
        accounts.recover(world.services, code=new.recovery_code)
    assert accounts.recover(world.services, code=fresh.text) == new.player_id


def test_a_removed_player_leaves_nothing_but_the_line(
    world: World, gray: Actor, ada: int
) -> None:
    roster.hide(world.services, actor=gray, player_id=ada, is_hidden=True)
    roster.remove(world.services, actor=gray, player_id=ada)
    assert accounts.player_info(world.services, ada) is None
    assert leaderboard.board(world.services).rows == ()
    (class_id,) = roster.taught(world.services, actor=gray)
    page = roster.class_page(world.services, actor=gray, class_id=class_id)
    assert page.members == ()
    assert [(act.actor, act.what, act.whom) for act in page.acts] == [
        ("Ms Gray", roster.REMOVED, None),
        ("Ms Gray", roster.HIDDEN, None),
    ]
    with world.db.read() as session:
        for act in session.scalars(select(ClassAct)):
            assert "Ada" not in f"{act.actor} {act.what}"


def test_the_class_page_lists_players_by_name(
    world: World, gray: Actor, ada: int, code: str
) -> None:
    world.player("Aaron", class_code=code)
    world.player("Elsewhere")
    (class_id,) = roster.taught(world.services, actor=gray)
    page = roster.class_page(world.services, actor=gray, class_id=class_id)
    assert [member.name for member in page.members] == ["Aaron", "Ada"]
    for other in (class_id + 1, 999, 2**40):
        with pytest.raises(Forbidden):
            roster.class_page(world.services, actor=gray, class_id=other)


def test_who_teaches_a_class_is_set_by_command(world: World, gray: Actor) -> None:
    classes.add_class(world.services, name="8a")
    teacher = gray.player_id or 0
    for is_teaching, count in ((True, 2), (True, 2), (False, 1), (False, 1)):
        roster.set_teaching(
            world.services,
            class_name="8a",
            player_id=teacher,
            is_teaching=is_teaching,
        )
        assert len(roster.taught(world.services, actor=gray)) == count
    with pytest.raises(InvalidInput, match="Only instructors"):
        roster.set_teaching(
            world.services,
            class_name="8a",
            player_id=world.player("Bob"),
            is_teaching=True,
        )
    accounts.delete_player(world.services, player_id=teacher)
    with world.db.read() as session:
        assert session.scalars(select(Teaching)).all() == []


def test_a_name_that_several_have_needs_the_class(world: World, ada: int) -> None:
    bob = world.player("Ada")
    with pytest.raises(Conflict, match="--class"):
        roster.find(world.services, name="ADA")
    assert roster.find(world.services, name="ada", class_name="7b") == ada
    found = roster.find(world.services, name="ada", class_name=classes.OPEN_CLASS)
    assert found == bob
    with pytest.raises(NotFound, match="Nobody is called"):
        roster.find(world.services, name="Nobody")
    with world.db.read() as session:
        assert session.get_one(Player, ada).name == "Ada"
