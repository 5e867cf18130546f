"""Lessons on both kinds of database, and by many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.kit.lessons import (
    ZO,
    begin,
    give_lessons,
    lesson,
    practise,
    simple_panel,
    told,
    zo,
    zo_panel,
)
from tests.kit.world import World
from webapp.content.lessons.schema import Question
from webapp.domain.generations.events import Event
from webapp.domain.learn import gallery, hints, history, practice, questions
from webapp.domain.learn.lesson import lesson_page
from webapp.domain.people import accounts
from webapp.errors import Conflict, LabError
from webapp.rows import PanelState, Practice


def test_a_panel_is_run_helped_with_shown_and_forgotten(world: World) -> None:
    give_lessons(world, lesson(zo_panel()))
    ada = world.player()
    where: dict[str, Any] = {
        "player_id": ada,
        "lesson_id": "basics/zo",
        "panel": "show",
    }
    hints.take_hint(world.services, **where, n=1)
    assert told(practise(world, ada, {"examples": ZO}, zo(3))).status == "passed"
    hints.show_solution(world.services, **where)
    run = history.all_runs(world.services, player_id=ada)[0]
    practice.check_again(world.services, player_id=ada, run_id=run.id)
    gallery.hand_in(world.services, player_id=ada, run_id=run.id)
    assert len(gallery.class_gallery(world.services, **where)) == 1
    page = lesson_page(world.services, ada, "basics/zo")
    assert (page.state, page.panel("show").state) == ("done", "passed")
    accounts.delete_player(world.services, player_id=ada)
    with world.db.read() as session:
        for table in (Practice, PanelState):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_of_many_clicks_at_once_one_run_begins(world: World) -> None:
    give_lessons(world, lesson(simple_panel()))
    ada = world.player()

    def click(number: int) -> str:
        try:
            return str(begin(world, ada, panel="hello").id)
        except LabError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(click, range(8)))
    assert sorted(came)[1:] == ["running"] * 7
    with pytest.raises(Conflict):
        begin(world, ada, panel="hello")


def test_two_runs_that_end_together_both_count(world: World) -> None:
    give_lessons(world, lesson(zo_panel(), simple_panel()))
    ada = world.player()
    world.limit(running_per_player=10)
    world.backend.enqueue("hello", "hello")
    runs = [begin(world, ada, panel="hello"), begin(world, ada, {"examples": ZO})]
    with ThreadPoolExecutor(2) as pool:
        ended: list[list[Event]] = list(pool.map(list, runs))
    assert all(events[-1].name == "end" for events in ended)
    with world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(PanelState)) == 2


def test_answers_sent_at_once_are_one(world: World) -> None:
    choose = Question(
        name="pick", kind="choose", ask="Which?", choices=("a", "b"), answer="b"
    )
    give_lessons(world, lesson(choose))
    ada = world.player()

    def answer(number: int) -> str:
        return questions.answer(
            world.services,
            player_id=ada,
            lesson_id="basics/zo",
            question="pick",
            choice="b",
        ).status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(answer, range(4))) == {"right"}


def test_a_whole_class_presses_generate_at_once(world: World) -> None:
    give_lessons(world, lesson(zo_panel()))
    world.limit(sign_ups_per_hour=1000)
    students = [world.player(f"Student {n}") for n in range(30)]
    bob = world.player("Bob")
    world.backend.queue = 2

    def press(player: int) -> list[Event]:
        return list(begin(world, player, {"examples": ZO}))

    with ThreadPoolExecutor(31) as pool:
        runs = pool.map(press, students)
        # Somebody at a gate is answered all the same.
        gate = pool.submit(world.say, bob, "Good evening")
        happened = list(runs)
        at_the_gate = gate.result()
    for events in happened:
        names = [event.name for event in events]
        assert names[-2:] == ["outcome", "end"]
        assert "queue" in names
    assert at_the_gate[-1].name == "end"
    with world.db.read() as session:
        count = select(func.count()).select_from(Practice)
        assert session.scalar(count) == 30
