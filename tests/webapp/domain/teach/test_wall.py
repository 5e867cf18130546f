"""The wall: who may see it, what it shows, and that its work does not grow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.kit.world import World, counted_queries
from webapp.domain.people import accounts, classes, roster
from webapp.domain.people.classes import ClassInfo
from webapp.domain.people.roster import Actor
from webapp.domain.teach import wall
from webapp.domain.teach.wall import Wall
from webapp.errors import Forbidden
from webapp.rows import SchoolClass


@pytest.fixture
def nine(world: World) -> ClassInfo:
    return classes.add_class(world.services, name="9b")


def see(world: World, info: ClassInfo) -> Wall:
    key = wall.link_key(world.services, info)
    return wall.wall(world.services, class_id=info.id, key=key)


def joined(world: World, info: ClassInfo, *names: str) -> list[int]:
    return [world.player(name, class_code=info.join_code) for name in names]


def test_the_wall_of_a_class(world: World, nine: ClassInfo) -> None:
    ada, bob, _ = joined(world, nine, "Ada", "Bob", "Eve")
    world.win(world.player("Stranger"), "open", "told")
    world.say(ada)
    world.win(ada, "open", "told")
    world.clock.move(minutes=1)
    world.win(bob, "open")
    shown = see(world, nine)
    assert (shown.info, shown.players, shown.is_joinable) == (nine, 3, True)
    assert [(r.rank, r.alias, r.points) for r in shown.rows] == [
        (1, "Ada", 300),
        (2, "Bob", 100),
    ]
    assert [(win.name, win.gate, win.attempts) for win in shown.wins] == [
        ("Bob", "The Open Gate", 0),
        ("Ada", "The Told Gate", 0),
        ("Ada", "The Open Gate", 1),
    ]
    assert [(gate.number, gate.winners) for gate in shown.gates[:3]] == [
        (1, 2),
        (2, 1),
        (3, 0),
    ]
    assert shown.gates[0].share == pytest.approx(2 / 3)
    assert len(shown.gates) == 8


def test_whoever_is_on_no_board_has_no_name(world: World, nine: ClassInfo) -> None:
    ada, bob, eve = joined(world, nine, "Ada", "Bob", "Eve")
    accounts.set_alias(world.services, player_id=ada, alias="", is_listed=False)
    roster.hide(world.services, actor=roster.COMMAND, player_id=bob, is_hidden=True)
    accounts.set_alias(world.services, player_id=eve, alias="Owl", is_listed=True)
    for player in (ada, bob, eve):
        world.win(player, "open")
    shown = see(world, nine)
    assert [win.name for win in shown.wins] == ["Owl", "Somebody", "Somebody"]
    assert [row.alias for row in shown.rows] == ["Owl"]
    assert shown.gates[0].winners == 3
    assert "Ada" not in repr(shown)
    assert "Bob" not in repr(shown)


def test_staff_and_past_seasons_are_not_on_it(world: World, nine: ClassInfo) -> None:
    (ada,) = joined(world, nine, "Ada")
    (teacher,) = (
        world.player("Ms Gray", class_code=nine.join_code, role="instructor"),
    )
    world.win(ada, "open")
    world.win(teacher, "open")
    assert [win.name for win in see(world, nine).wins] == ["Ada"]
    classes.start_season(world.services, name="9b")
    shown = see(world, nine)
    assert (shown.rows, shown.wins, shown.gates[0].winners) == ((), (), 0)
    assert (shown.players, shown.info.season) == (1, 2)


def test_only_its_instructor_and_its_link_open_it(
    world: World, nine: ClassInfo
) -> None:
    other = classes.add_class(world.services, name="8a")
    key = wall.link_key(world.services, nine)
    teacher = world.player("Ms Gray", class_code=nine.join_code, role="instructor")
    roster.set_teaching(
        world.services, class_name="9b", player_id=teacher, is_teaching=True
    )
    actor = Actor("Ms Gray", teacher, is_everywhere=False)
    assert wall.wall(world.services, class_id=nine.id, actor=actor).info == nine
    told = set()
    for class_id, who, given in (
        (nine.id, None, ""),
        (nine.id, None, key[:-1]),
        (nine.id, None, "ß" * 20),
        (other.id, None, key),
        (other.id, actor, ""),
        (99, actor, key),
        (2**40, actor, key),
    ):
        with pytest.raises(Forbidden) as caught:
            wall.wall(world.services, class_id=class_id, actor=who, key=given)
        told.add(caught.value.message)
    assert told == {wall.NOT_FOR_YOU}


def test_a_new_join_code_ends_the_link(world: World, nine: ClassInfo) -> None:
    key = wall.link_key(world.services, nine)
    with world.db.write() as session:
        session.execute(update(SchoolClass).values(join_code="NEWC-CODE"))
    with pytest.raises(Forbidden):
        wall.wall(world.services, class_id=nine.id, key=key)
    assert see(world, replace(nine, join_code="NEWC-CODE")).info.name == "9b"


def test_the_version_changes_with_what_is_shown(world: World, nine: ClassInfo) -> None:
    (ada,) = joined(world, nine, "Ada")
    before = see(world, nine).version
    world.say(ada)
    assert see(world, nine).version == before
    world.win(ada, "open")
    assert see(world, nine).version != before


def test_its_work_is_bounded(world: World, nine: ClassInfo) -> None:
    counted = []
    for number in (1, 25):
        for player in joined(world, nine, *(f"P {number} {n}" for n in range(number))):
            world.win(player, "open")
        with counted_queries(world.db) as statements:
            shown = see(world, nine)
        counted.append(len(statements))
    assert (len(shown.rows), len(shown.wins)) == (10, 5)
    assert counted[0] == counted[1] <= 6
