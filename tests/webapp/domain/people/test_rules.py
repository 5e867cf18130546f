"""What an instructor opens and closes for a class, and what only some classes see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.kit.world import World
from webapp.domain.people import classes
from webapp.domain.people import rules as rooms
from webapp.domain.people.rules import Rules
from webapp.domain.play import hints, keep, leaderboard
from webapp.domain.play.events import ShownReply
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.rows import Audience, ClassRule, SchoolClass


@pytest.fixture
def class_id(world: World) -> int:
    return classes.add_class(world.services, name="7b").id


@pytest.fixture
def ada(world: World, class_id: int) -> int:
    with world.db.read() as session:
        code = session.get_one(SchoolClass, class_id).join_code
    return world.player("Ada", class_code=code)


def rule(
    world: World,
    class_id: int,
    kind: str,
    thing: str,
    state: str,
    *,
    since: int | None = None,
    until: int | None = None,
) -> None:
    """Write a rule; times are minutes from now."""
    now = world.clock()

    def at(minutes: int | None) -> object:
        return None if minutes is None else now + timedelta(minutes=minutes)

    with world.db.write() as session:
        session.merge(
            ClassRule(
                class_id=class_id,
                kind=kind,
                thing=thing,
                state=state,
                since=at(since),
                until=at(until),
            )
        )


def only_for(world: World, kind: str, thing: str, class_id: int) -> None:
    with world.db.write() as session:
        session.add(Audience(kind=kind, thing=thing, class_id=class_id))


def change(world: World, class_id: int, **values: object) -> None:
    with world.db.write() as session:
        row = session.get_one(SchoolClass, class_id)
        for name, value in values.items():
            setattr(row, name, value)


def held(world: World, player: int) -> Rules:
    with world.db.read() as session:
        return rooms.of_id(session, world.services, player)


def card(world: World, player: int, level: str) -> keep.LevelCard:
    page = keep.map_page(world.services, player_id=player)
    return next(one for one in page.levels if one.id == level)


def test_a_closed_gate_takes_nothing(world: World, class_id: int, ada: int) -> None:
    world.say(ada)
    rule(world, class_id, "gate", "open", "closed", until=30)
    for act in (
        lambda: world.say(ada),
        lambda: world.guess(ada, "word"),
        lambda: hints.take_hint(world.services, player_id=ada, level_id="open", n=1),
        lambda: keep.level_page(world.services, player_id=ada, level_id="open"),
    ):
        with pytest.raises(Forbidden, match="It opens in 30 minutes") as refused:
            act()
        assert refused.value.code == "closed"
    shown = card(world, ada, "open")
    assert (shown.state, shown.closed) == ("locked", True)
    assert shown.opens_at == world.clock() + timedelta(minutes=30)
    assert len(world.attempts(ada)) == 1
    # Who needs a person is answered there, too.
    assert world.say(ada, "I want to kill myself")
    world.clock.move(minutes=30)
    world.say(ada)
    assert not card(world, ada, "open").closed


def test_an_open_gate_needs_no_win_before(
    world: World, class_id: int, ada: int
) -> None:
    with pytest.raises(Forbidden) as refused:
        world.say(ada, level="last")
    assert refused.value.code == "locked"
    rule(world, class_id, "gate", "last", "open", since=10, until=20)
    with pytest.raises(Forbidden):
        world.say(ada, level="last")
    world.clock.move(minutes=10)
    world.win(ada, "last")
    assert card(world, ada, "last").state == "solved"
    world.clock.move(minutes=10)
    with pytest.raises(Forbidden):
        world.say(ada, level="last")


def test_another_class_and_staff_are_not_concerned(world: World, class_id: int) -> None:
    rule(world, class_id, "gate", "open", "closed")
    change(world, class_id, look_here="Look")
    with world.db.read() as session:
        code = session.get_one(SchoolClass, class_id).join_code
    world.say(world.player("Bob"))
    teacher = world.player("Ms Gray", class_code=code, role="instructor")
    world.say(teacher)
    world.say(teacher, level="last")
    assert (
        hints.take_hint(world.services, player_id=teacher, level_id="open", n=1).cost
        == 0
    )


def test_hints_close_for_what_is_not_open_yet(
    world: World, class_id: int, ada: int
) -> None:
    def take(number: int) -> hints.HintView:
        return hints.take_hint(world.services, player_id=ada, level_id="open", n=number)

    take(1)
    rule(world, class_id, "hints", "", "closed")
    assert take(1).text == "Ask."
    with pytest.raises(Forbidden) as refused:
        take(2)
    assert refused.value.code == "closed"
    page = keep.level_page(world.services, player_id=ada, level_id="open")
    assert page.hints_closed
    assert page.hints[0].text == "Ask."


def test_a_pause_stops_what_is_sent_and_not_what_is_on_its_way(
    world: World, class_id: int, ada: int
) -> None:
    world.backend.enqueue("A whole reply.")
    run = world.begin(ada, "Hello")
    change(world, class_id, look_here="Eyes here!")
    assert any(isinstance(event, ShownReply) for event in run)
    for act in (lambda: world.say(ada), lambda: world.guess(ada, "word")):
        with pytest.raises(Conflict, match="Eyes here!") as refused:
            act()
        assert refused.value.code == "paused"
    assert len(world.attempts(ada)) == 1
    # Who needs a person is answered all the same.
    assert world.say(ada, "I want to kill myself")
    change(world, class_id, look_here=None)
    world.say(ada)


def test_what_other_classes_see_does_not_exist(
    world: World, class_id: int, ada: int
) -> None:
    other = classes.add_class(world.services, name="8c").id
    only_for(world, "level", "told", other)
    with pytest.raises(NotFound):
        world.say(ada, level="told")
    ids = [one.id for one in keep.level_states(world.services, player_id=ada)]
    assert "told" not in ids
    # It is not asked for either, and not the next one after a win.
    rest = [name for name in ids if name != "last"]
    outcome = world.guess(ada, world.secret(ada, "open"), "open")
    assert outcome.next == "echo"
    world.win(ada, *(name for name in rest if name != "open"))
    assert card(world, ada, "last").state == "open"
    for viewer in (ada, None):
        board = leaderboard.board(world.services, viewer_id=viewer)
        assert "told" not in [level.level_id for level in board.levels]
    only_for(world, "level", "told", class_id)
    assert card(world, ada, "told").state == "open"
    only_for(world, "ladder", "keep", other)
    assert keep.map_page(world.services, player_id=ada).levels == ()
    with pytest.raises(NotFound):
        world.say(ada)


def test_a_clock_is_shown_until_a_little_after_its_end(
    world: World, class_id: int, ada: int
) -> None:
    ends = world.clock() + timedelta(minutes=10)
    change(world, class_id, clock_title="Gate 1", clock_ends_at=ends)
    assert held(world, ada).clock == ("Gate 1", ends)
    world.clock.move(minutes=14)
    assert held(world, ada).clock is not None
    world.clock.move(minutes=1)
    assert held(world, ada).clock is None
