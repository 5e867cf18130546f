"""Votes, the list of galleries, and pictures to share."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.kit.lessons import ZO, give_lessons, lesson, practise, zo, zo_panel
from tests.kit.world import World
from webapp.domain.learn import events
from webapp.domain.learn import gallery as panels
from webapp.domain.people import classes, roster
from webapp.domain.people.roster import COMMAND
from webapp.domain.play import gallery as gates
from webapp.domain.play import visits
from webapp.domain.play.keep import SECRET_MARK
from webapp.domain.teach import galleries
from webapp.errors import Forbidden, NotFound


class School(NamedTuple):
    """Three of a class who have opened a gate; Ada and Bob show how."""

    world: World
    ada: int
    bob: int
    eve: int


@pytest.fixture
def school(world: World) -> School:
    code = classes.add_class(world.services, name="9b").join_code
    ada, bob, eve = (
        world.player(name, class_code=code) for name in ("Ada", "Bob", "Eve")
    )
    for player in (ada, bob, eve):
        world.hear(player, f"What is it, asks {player}?")
        world.win(player, "open")
        world.clock.move(minutes=1)
    for player in (ada, bob):
        show(world, player)
    return School(world, ada, bob, eve)


def show(world: World, player: int) -> None:
    attempt = world.attempts(player)[0].id
    gates.hand_in(world.services, player_id=player, attempt_id=attempt)
    world.clock.move(minutes=1)


def names(school: School) -> list[tuple[str, int, bool]]:
    shown = gates.class_gallery(
        school.world.services, player_id=school.eve, level_id="open"
    )
    return [(one.piece.name, one.piece.votes, one.piece.is_liked) for one in shown]


def vote(school: School, player: int, piece: int, *, is_liked: bool = True) -> None:
    galleries.vote(
        school.world.services, player_id=player, piece_id=piece, is_liked=is_liked
    )


def test_the_best_liked_comes_first(school: School) -> None:
    assert names(school) == [("Bob", 0, False), ("Ada", 0, False)]
    vote(school, school.eve, 1)
    vote(school, school.eve, 1)
    assert names(school) == [("Ada", 1, True), ("Bob", 0, False)]
    vote(school, school.bob, 1)
    assert names(school)[0] == ("Ada", 2, True)
    vote(school, school.eve, 1, is_liked=False)
    assert names(school)[0] == ("Ada", 1, False)


def test_only_those_who_see_a_piece_vote(school: School) -> None:
    world = school.world
    with pytest.raises(Forbidden, match="your own"):
        vote(school, school.ada, 1)
    with pytest.raises(NotFound):
        vote(school, school.ada, 99)
    stranger = world.player("Stranger")
    with pytest.raises(Forbidden, match="opened this gate"):
        vote(school, stranger, 1)
    world.win(stranger, "open")
    with pytest.raises(NotFound):
        vote(school, stranger, 1)
    galleries.hide(world.services, actor=COMMAND, piece_id=1, is_hidden=True)
    with pytest.raises(NotFound):
        vote(school, school.eve, 1)


def test_another_attempt_begins_without_votes(school: School) -> None:
    world = school.world
    vote(school, school.eve, 1)
    show(world, school.ada)
    assert ("Ada", 1, True) in names(school)
    world.say(school.ada, "Something else")
    visits.reset(world.services, player_id=school.ada, level_id="open")
    other = world.attempts(school.ada)[-1].id
    gates.hand_in(world.services, player_id=school.ada, attempt_id=other)
    assert ("Ada", 0, False) in names(school)


def test_what_is_open_is_listed(school: School) -> None:
    world = school.world

    def listed(player: int) -> list[tuple[str, str, int]]:
        found = galleries.open_to_player(world.services, player_id=player)
        return [(one.title, one.panel, one.pieces) for one in found]

    assert listed(school.eve) == [("The Open Gate", "", 2)]
    newcomer = world.player("Newcomer")
    assert listed(newcomer) == []
    (other,) = galleries.open_to_staff(world.services, actor=COMMAND)
    assert (other.title, other.pieces) == ("The Open Gate", 2)
    nobody = roster.Actor("Ms Gray", newcomer, is_everywhere=False)
    assert galleries.open_to_staff(world.services, actor=nobody) == ()


def pass_it(world: World, player: int) -> int:
    happened = practise(world, player, {"examples": ZO}, zo(3))
    return next(e.id for e in happened if isinstance(e, events.Start))


def test_panels_have_votes_and_pictures_too(school: School) -> None:
    world, services = school.world, school.world.services
    give_lessons(world, lesson(zo_panel()))
    run, _ = pass_it(world, school.ada), pass_it(world, school.eve)
    panels.hand_in(services, player_id=school.ada, run_id=run)
    (mine,) = panels.class_gallery(
        services, player_id=school.ada, lesson_id="basics/zo", panel="show"
    )
    with pytest.raises(Forbidden, match="passed this panel"):
        vote(school, school.bob, mine.piece.id)
    vote(school, school.eve, mine.piece.id)
    (shown,) = panels.class_gallery(
        services, player_id=school.eve, lesson_id="basics/zo", panel="show"
    )
    assert (shown.piece.votes, shown.piece.is_liked) == (1, True)
    listed = galleries.open_to_player(services, player_id=school.eve)
    assert [(one.thing, one.panel, one.pieces) for one in listed] == [
        ("open", "", 2),
        ("basics/zo", "show", 1),
    ]
    picture = galleries.piece_picture(
        services, player_id=school.ada, piece_id=mine.piece.id
    )
    assert (picture.kind, picture.wrote, picture.name) == ("passed", ZO, None)
    assert picture.came == shown.run.replies[0]


def test_the_picture_of_a_piece_is_for_its_owner(school: School) -> None:
    services = school.world.services
    picture = galleries.piece_picture(
        services, player_id=school.ada, piece_id=1, has_name=True
    )
    assert (picture.title, picture.kind, picture.name) == (
        "The Open Gate",
        "won",
        "Ada",
    )
    assert picture.came == f"The password is {SECRET_MARK}."
    with pytest.raises(NotFound):
        galleries.piece_picture(services, player_id=school.bob, piece_id=1)


def test_the_picture_of_a_result_is_of_numbers_alone(school: School) -> None:
    services = school.world.services
    school.world.win(school.eve, "told")
    picture = galleries.result_picture(services, player_id=school.eve)
    assert (picture.title, picture.opened, len(picture.lit)) == ("The Keep", 2, 8)
    assert (picture.points, picture.lessons, picture.name) == (300, 0, None)
    assert picture.lit[:3] == (True, True, False)
