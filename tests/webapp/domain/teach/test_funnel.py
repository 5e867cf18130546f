"""Where it gets hard, on each gate and panel."""

from __future__ import annotations

import pytest

from tests.kit.lessons import ZO, give_lessons, lesson, practise, zo, zo_panel
from tests.kit.school import open_school
from tests.kit.world import World
from webapp.domain.people import classes
from webapp.domain.play import hints
from webapp.domain.teach.funnel import Stopper, funnel_page
from webapp.errors import Forbidden


def test_gates(world: World) -> None:
    school = open_school(world)
    stranger = world.player("Eve")
    for player, tries in ((school.ada, 1), (school.bob, 4)):
        for _ in range(tries):
            world.say(player)
        world.win(player, "open")
    hints.take_hint(world.services, player_id=school.bob, level_id="told", n=1)
    world.win(stranger, "open")
    for player, message in (
        (school.ada, "password"),
        (school.ada, "password!"),
        (school.bob, "password?"),
        (school.bob, "Hello"),
        (stranger, "password"),
    ):
        world.say(player, message, "full")
    page = funnel_page(world.services, actor=school.gray, class_id=school.class_id)
    gates = {gate.id: gate for gate in page.gates}
    first, told, full = gates["open"], gates["told"], gates["full"]
    assert (page.students, first.started, first.solved) == (2, 2, 2)
    assert (first.median_attempts, first.blocked_share) == (2.5, 0)
    assert (told.started, told.hints) == (0, 1)
    assert (full.started, full.solved, full.median_attempts) == (2, 0, None)
    assert full.blocked_share == 0.75
    assert full.stoppers == (Stopper(("the word filter",), 3, 2),)
    classes.start_season(world.services, name="7a")
    fresh = funnel_page(world.services, actor=school.gray, class_id=school.class_id)
    assert {(gate.started, gate.stoppers) for gate in fresh.gates} == {(0, ())}


def test_panels(world: World) -> None:
    school = open_school(world)
    give_lessons(world, lesson(zo_panel()))
    copied = {"examples": "lampzo and treezo\nadd zo to it"}
    for values, replies in (
        (copied, ["no"]),
        (copied, ["no"]),
        ({"examples": "add zo\nto it"}, ["no"] * 3),
        ({"examples": ZO}, zo(3)),
    ):
        practise(world, school.ada, values, replies)
    practise(world, school.bob, copied, ["no"])
    page = funnel_page(
        world.services, actor=school.gray, class_id=school.class_id, track="nothing"
    )
    (panel,) = page.panels
    assert (panel.started, panel.passed, panel.median_runs) == (2, 1, 4)
    assert (panel.mistake, panel.mistakes) == ("You gave away an answer.", 3)


def test_it_is_for_the_classs_teacher(world: World) -> None:
    school = open_school(world)
    with pytest.raises(Forbidden):
        funnel_page(world.services, actor=school.blue, class_id=school.class_id)
