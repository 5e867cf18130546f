"""Two classes, each with an instructor, and students to look at."""

from __future__ import annotations

from dataclasses import dataclass

from tests.kit.world import World
from webapp.domain.people import accounts, classes, roster
from webapp.domain.people.roster import Actor


@dataclass(frozen=True, slots=True)
class School:
    """The class 7a with Ada and Bob, taught by Ms Gray; Mr Blue teaches another."""

    class_id: int
    other_id: int
    gray: Actor
    blue: Actor
    ada: int
    bob: int


def open_school(world: World) -> School:
    """Make both classes."""
    here = classes.add_class(world.services, name="7a")
    there = classes.add_class(world.services, name="7b")
    return School(
        class_id=here.id,
        other_id=there.id,
        gray=_teacher(world, "Ms Gray", here.join_code),
        blue=_teacher(world, "Mr Blue", there.join_code),
        ada=world.player("Ada", class_code=here.join_code),
        bob=world.player("Bob", class_code=here.join_code),
    )


def _teacher(world: World, name: str, code: str) -> Actor:
    made = world.player(name, class_code=code, role="instructor")
    info = accounts.player_info(world.services, made)
    assert info is not None
    return roster.actor_of(info)
