"""Lessons of a class: closed tracks, lessons of other classes, a pause and masks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.lessons import (
    ZO,
    check,
    give_lessons,
    lesson,
    practise,
    simple_panel,
    zo_panel,
)
from tests.kit.world import World
from webapp.domain.generations.events import Delta
from webapp.domain.learn import course, hints
from webapp.domain.learn import lesson as lessons
from webapp.domain.people import classes
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.rows import Audience, ClassRule, Practice, SchoolClass
from webapp.web import masks


@pytest.fixture
def class_id(world: World) -> int:
    give_lessons(
        world,
        lesson(zo_panel()),
        lesson(
            simple_panel(
                checks=(check("equals", "hello", say='It wrote "{reply}". Why?'),)
            ),
            lesson_id="other/hello",
        ),
        lesson(simple_panel(), lesson_id="other/again"),
    )
    return classes.add_class(world.services, name="7b").id


@pytest.fixture
def ada(world: World, class_id: int) -> int:
    with world.db.read() as session:
        code = session.get_one(SchoolClass, class_id).join_code
    return world.player("Ada", class_code=code)


def write(world: World, *rows: Any) -> None:
    with world.db.write() as session:
        session.add_all(rows)


def change(world: World, class_id: int, **values: Any) -> None:
    with world.db.write() as session:
        row = session.get_one(SchoolClass, class_id)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_closed_track_is_listed_and_cannot_be_entered(
    world: World, class_id: int, ada: int
) -> None:
    write(
        world,
        ClassRule(class_id=class_id, kind="track", thing="basics", state="closed"),
    )
    page = course.course_page(world.services, ada)
    assert [(track.id, track.closed) for track in page.tracks] == [
        ("basics", True),
        ("other", False),
    ]
    assert page.next is not None
    assert page.next.id == "other/hello"
    for act in (
        lambda: lessons.lesson_page(world.services, ada, "basics/zo"),
        lambda: practise(world, ada, {"examples": ZO}),
        lambda: hints.take_hint(
            world.services, player_id=ada, lesson_id="basics/zo", panel="show", n=1
        ),
    ):
        with pytest.raises(Forbidden, match="“Basics” is closed") as refused:
            act()
        assert refused.value.code == "closed"
    beside = lessons.lesson_page(world.services, ada, "other/hello")
    assert beside.previous is None
    assert lessons.lesson_page(world.services, None, "basics/zo").id == "basics/zo"


def test_a_lesson_of_another_class_does_not_exist(
    world: World, class_id: int, ada: int
) -> None:
    other = classes.add_class(world.services, name="8c").id
    write(world, Audience(kind="lesson", thing="other/hello", class_id=other))
    for viewer in (ada, None):
        page = course.course_page(world.services, viewer)
        lines = [line.id for track in page.tracks for line in track.lessons]
        assert lines == ["basics/zo", "other/again"]
        with pytest.raises(NotFound):
            lessons.lesson_page(world.services, viewer, "other/hello")
    again = lessons.lesson_page(world.services, ada, "other/again")
    assert (again.number, again.of) == (1, 1)
    assert again.previous is not None
    assert again.previous.id == "basics/zo"
    with pytest.raises(NotFound):
        practise(world, ada, panel="hello", lesson_id="other/hello")
    write(world, Audience(kind="track", thing="other", class_id=other))
    page = course.course_page(world.services, ada)
    assert [track.id for track in page.tracks] == ["basics"]


def test_hints_and_runs_wait_while_the_instructor_says_so(
    world: World, class_id: int, ada: int
) -> None:
    write(world, ClassRule(class_id=class_id, kind="hints", thing="", state="closed"))
    with pytest.raises(Forbidden) as refused:
        hints.take_hint(
            world.services, player_id=ada, lesson_id="basics/zo", panel="show", n=1
        )
    assert refused.value.code == "closed"
    change(world, class_id, look_here="Eyes here")
    with pytest.raises(Conflict, match="Eyes here") as paused:
        practise(world, ada, {"examples": ZO})
    assert paused.value.code == "paused"


def test_masks_reach_the_reply_and_whatever_quotes_it(world: World, ada: int) -> None:
    happened = practise(
        world, ada, {}, ["oh shit"], panel="hello", lesson_id="other/hello"
    )
    replies = masks.Replies()
    shown = [told for event in happened for told in replies.take(event)]
    assert "".join(e.text for e, _ in shown if isinstance(e, Delta)) == "oh ••••"
    (judged,) = [data for event, data in shown if event.name == "judged"]
    assert (judged["reply"], judged["message"]) == (
        "oh ••••",
        'It wrote "oh ••••". Why?',
    )
    assert "shit" not in repr([data for _, data in shown])
    with world.db.read() as session:
        row = session.query(Practice).one()
        assert row.samples[0]["reply"] == "oh shit"
