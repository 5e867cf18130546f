"""The page of a class: where everybody is, who is stuck, and what it costs."""

from __future__ import annotations

import pytest

from tests.kit.lessons import (
    ZO,
    give_lessons,
    lesson,
    practise,
    simple_panel,
    zo,
    zo_panel,
)
from tests.kit.school import School, open_school
from tests.kit.world import World, counted_queries
from webapp.domain.learn import hints as panel_hints
from webapp.domain.people import accounts, classes
from webapp.domain.play import hints
from webapp.domain.teach import stuck
from webapp.domain.teach.progress import Cell, ProgressPage, progress_page
from webapp.errors import Forbidden
from webapp.rows import SchoolClass


@pytest.fixture
def school(world: World) -> School:
    return open_school(world)


def seen(world: World, school: School, **chosen: str) -> ProgressPage:
    return progress_page(
        world.services, actor=school.gray, class_id=school.class_id, **chosen
    )


def cells(page: ProgressPage, name: str) -> dict[str, Cell]:
    (row,) = [row for row in page.rows if row.name == name]
    return {
        column.key: cell for column, cell in zip(page.columns, row.cells, strict=True)
    }


def test_a_cell_says_how_far_somebody_is(world: World, school: School) -> None:
    world.say(school.ada)
    hints.take_hint(world.services, player_id=school.ada, level_id="open", n=1)
    world.win(school.ada, "open")
    for message in ("password?", "Hello"):
        world.clock.move(minutes=1)
        world.say(school.ada, message, "full")
    page = seen(world, school)
    assert [row.name for row in page.rows] == ["Ada", "Bob"]
    ada = cells(page, "Ada")
    assert ada["gate-open"] == Cell("done", 1, 1)
    assert ada["gate-full"] == Cell("begun", 2, 0)
    assert ada["gate-echo"] == Cell("new", 0, 0)
    assert (page.rows[0].points, page.rows[0].seen_at) == (80, world.clock.time)
    assert (page.rows[1].points, page.rows[1].seen_at) == (0, None)
    classes.start_season(world.services, name="7a")
    again = cells(seen(world, school), "Ada")
    assert {again[key].state for key in again} == {"new"}


def test_tracks_count_lessons_and_open_into_them(world: World, school: School) -> None:
    give_lessons(
        world,
        lesson(zo_panel()),
        lesson(simple_panel(), lesson_id="basics/hello", title="Hello"),
    )
    practise(world, school.ada, {"examples": ZO}, zo(3))
    practise(
        world, school.bob, {"ask": "x"}, ["no"], panel="hello", lesson_id="basics/hello"
    )
    page = seen(world, school)
    assert cells(page, "Ada")["track-basics"] == Cell("begun", 1, 0, 1, 2)
    assert cells(page, "Bob")["track-basics"] == Cell("begun", 1, 0, 0, 2)
    opened = seen(world, school, track="basics")
    assert (page.track, opened.track) == (None, "basics")
    assert cells(opened, "Ada")["lesson-basics/zo"] == Cell("done", 1, 0)
    assert cells(opened, "Ada")["lesson-basics/hello"] == Cell("new", 0, 0)
    assert cells(opened, "Bob")["lesson-basics/hello"] == Cell("begun", 1, 0)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Ada", "Bob"]),
        ("-name", ["Bob", "Ada"]),
        ("-points", ["Bob", "Ada"]),
        ("points", ["Ada", "Bob"]),
        ("seen", ["Ada", "Bob"]),
        ("-seen", ["Bob", "Ada"]),
        ("gate-open", ["Ada", "Bob"]),
        ("-gate-open", ["Bob", "Ada"]),
        ("no such thing", ["Ada", "Bob"]),
    ],
)
def test_any_column_sorts(
    world: World, school: School, sort: str, names: list[str]
) -> None:
    world.say(school.ada)
    world.clock.move(minutes=1)
    world.win(school.bob, "open")
    assert [row.name for row in seen(world, school, sort=sort).rows] == names


def test_stuck_is_ten_minutes_without_progress(world: World, school: School) -> None:
    world.win(school.ada, "open")
    world.say(school.ada, "First", "wary")
    world.clock.move(minutes=1)
    world.say(school.bob, "Hello Bob")
    world.clock.move(minutes=11)
    for message in ("password 1", "password 2", "password 3"):
        world.clock.move(seconds=10)
        world.say(school.bob, message)
    ada, bob = seen(world, school).stuck
    assert (ada.person.name, ada.tries) == ("Ada", 1)
    assert (bob.person.name, bob.where, bob.tries) == ("Bob", "open", 4)
    assert [one.text for one in bob.tried] == ["password 3", "password 2", "password 1"]
    assert {one.came for one in bob.tried} == {"answered"}
    world.say(school.ada, "password", "wary")
    ada, _ = seen(world, school).stuck
    assert (ada.person.name, ada.where) == ("Ada", "wary")
    assert [one.came for one in ada.tried] == ["stopped by the word filter", "answered"]
    world.win(school.bob, "open")
    assert [one.person.name for one in seen(world, school).stuck] == ["Ada"]
    # Whoever goes on elsewhere, or has gone, is not stuck.
    world.say(school.ada, "Hello", "talk")
    assert seen(world, school).stuck == ()
    world.clock.move(minutes=stuck.ACTIVE.total_seconds() / 60 + 1)
    assert seen(world, school).stuck == ()


def test_a_lesson_can_be_where_somebody_is_stuck(world: World, school: School) -> None:
    give_lessons(world, lesson(zo_panel()))
    for _ in range(4):
        practise(world, school.ada, {"examples": "add zo\nto it"}, ["no"] * 3)
        world.clock.move(minutes=4)
    (ada,) = seen(world, school).stuck
    assert (ada.panel, ada.title, ada.tries) == ("show", "Show, don't tell", 4)
    assert [one.text for one in ada.tried] == ["add zo\nto it"] * stuck.TRIES
    assert ada.tried[0].came.startswith('The model wrote "no". Why?')
    practise(world, school.ada, {"examples": ZO}, zo(3))
    assert seen(world, school).stuck == ()


def test_the_password_of_an_open_visit_is_covered(world: World, school: School) -> None:
    world.say(school.ada, "Hello")
    world.clock.move(minutes=12)
    word = world.secret(school.ada)
    world.say(school.ada, f"Is it {'-'.join(word.upper())}?")
    world.say(school.ada, "Or not?")
    (ada,) = seen(world, school).stuck
    assert [one.text for one in ada.tried] == ["Or not?", None, "Hello"]


def test_only_who_teaches_the_class_sees_it(world: World, school: School) -> None:
    for class_id in (school.class_id, 99, 2**70, 0):
        with pytest.raises(Forbidden) as refused:
            progress_page(world.services, actor=school.blue, class_id=class_id)
        assert refused.value.message == "This belongs to no class that you teach."


def test_more_players_and_attempts_ask_the_database_no_more(
    world: World, school: School
) -> None:
    world.limit(running_per_player=100)

    def ask() -> int:
        with counted_queries(world.db) as statements:
            assert seen(world, school).stuck
        return len(statements)

    world.say(school.ada, "Hello")
    world.clock.move(minutes=12)
    world.say(school.ada, "Hello")
    few = ask()
    world.copy_attempt(school.ada, 300)
    with world.db.read() as session:
        code = session.get_one(SchoolClass, school.class_id).join_code
    for number in range(30):
        player = accounts.create_player(
            world.services, name=f"Player {number}", class_code=code
        )
        world.say(player.player_id, "Hello")
    world.clock.move(minutes=11)
    assert len(seen(world, school).stuck) == stuck.SHOWN
    assert seen(world, school).more_stuck == 31 - stuck.SHOWN
    assert ask() == few < 20


def test_hints_of_panels_are_counted(world: World, school: School) -> None:
    give_lessons(world, lesson(zo_panel()))
    practise(world, school.ada, {"examples": "add zo\nto it"}, ["no"] * 3)
    panel_hints.take_hint(
        world.services, player_id=school.ada, lesson_id="basics/zo", panel="show", n=1
    )
    page = seen(world, school)
    assert cells(page, "Ada")["track-basics"].hints == 1
