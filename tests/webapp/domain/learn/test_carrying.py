"""Progress in lessons as a file, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.kit.lessons import ZO, give_lessons, lesson, practise, zo, zo_panel
from tests.kit.world import World
from webapp.content.lessons.schema import Question
from webapp.domain.learn import carrying, course, questions
from webapp.domain.learn.progress import IMPORTED
from webapp.errors import InvalidInput
from webapp.rows import PanelState, Practice, QuestionAnswer, Solve

WHY = Question(name="why", kind="reflect", ask="Why does it work?")


@pytest.fixture
def ada(world: World) -> int:
    give_lessons(world, lesson(zo_panel(), WHY))
    return world.player("Ada")


@pytest.fixture
def saved(world: World, ada: int) -> bytes:
    """Return the file of one who has passed a panel and answered a question."""
    practise(world, ada, {"examples": ZO}, zo())
    questions.answer(
        world.services,
        player_id=ada,
        lesson_id="basics/zo",
        question="why",
        text="It sees the pattern.",
    )
    return carrying.export(world.services, player_id=ada).encode()


def reached(world: World, player: int) -> tuple[list[Any], list[Any]]:
    with world.db.read() as session:
        states = session.scalars(
            select(PanelState).where(PanelState.player_id == player)
        )
        answers = session.scalars(
            select(QuestionAnswer).where(QuestionAnswer.player_id == player)
        )
        return (
            [(s.panel, s.best, s.passed_at, s.passed_version, s.runs) for s in states],
            [(a.question, a.answer, a.tries, a.answered_at) for a in answers],
        )


def bring(world: World, player: int, data: bytes) -> carrying.BroughtBack:
    return carrying.bring_back(world.services, player_id=player, data=data)


def test_a_file_is_taken_over_once_and_gives_no_points(
    world: World, saved: bytes
) -> None:
    bob = world.player("Bob")
    done = bring(world, bob, saved)
    assert (done.panels, done.answers, done.missing) == (1, 1, ())
    assert done.message == "Taken over: panels 1, answers 1."
    before = reached(world, bob)
    ((panel, best, passed_at, version, runs),), ((_, text, tries, _),) = before
    assert (panel, best, version, runs) == ("show", 1.0, IMPORTED, 0)
    assert passed_at is not None
    assert (text, tries) == ("It sees the pattern.", 1)
    again = bring(world, bob, saved)
    assert again.message == "Nothing was new: you have all of it already."
    assert reached(world, bob) == before
    with world.db.read() as session:
        for kind in (Solve, Practice):
            rows = select(func.count()).select_from(kind)
            assert session.scalar(rows.where(kind.player_id == bob)) == 0
    page = course.course_page(world.services, bob)
    assert (page.done, page.gates_won) == (1, 0)


def test_what_was_reached_here_is_kept(world: World, ada: int, saved: bytes) -> None:
    before = reached(world, ada)
    assert bring(world, ada, saved).message.startswith("Nothing was new")
    assert reached(world, ada) == before
    bob = world.player("Bob")
    questions.answer(
        world.services, player_id=bob, lesson_id="basics/zo", question="why", text="Hm."
    )
    assert bring(world, bob, saved).answers == 0
    ((_, text, tries, _),) = reached(world, bob)[1]
    assert (text, tries) == ("Hm.", 1)


def test_what_no_lesson_has_now_is_said_and_left_out(
    world: World, saved: bytes
) -> None:
    bob = world.player("Bob")
    give_lessons(world, lesson(WHY))
    done = bring(world, bob, saved)
    assert (done.panels, done.answers, done.missing) == (0, 1, ("basics/zo: show",))
    assert "Left out, as no lesson here has it now: basics/zo: show." in done.message
    give_lessons(world, lesson(WHY, lesson_id="basics/other"))
    assert len(bring(world, bob, saved).missing) == 2


def test_a_renamed_lesson_gets_what_was_passed(world: World, saved: bytes) -> None:
    bob = world.player("Bob")
    give_lessons(
        world, lesson(zo_panel(), WHY, lesson_id="basics/new", was=("basics/zo",))
    )
    assert bring(world, bob, saved).panels == 1
    assert bring(world, bob, saved).panels == 0
    assert course.course_page(world.services, bob).done == 1


def changed(data: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(data) | fields).encode()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: data[:-20], "it is broken"),
        (lambda _: b"\xff\xfe\x00", "it is broken"),
        (lambda _: b"[" * 100_000, "it is broken"),
        (lambda _: b"", "it is broken"),
        (lambda _: b"[]", "not a file of progress"),
        (lambda _: b'{"name": "Ada"}', "not a file of progress"),
        (lambda data: changed(data, panels=[]), "its seal does not fit"),
        (lambda data: changed(data, seal=None), "its seal does not fit"),
        (lambda data: changed(data, seal="\ud800"), "its seal does not fit"),
        (lambda data: changed(data, seal="0" * 64), "its seal does not fit"),
        (lambda data: changed(data, more=1), "its seal does not fit"),
        (lambda data: data + b" " * carrying.MOST_BYTES, "at most 4 MB"),
    ],
)
def test_a_file_that_is_not_ours_changes_nothing(
    world: World, saved: bytes, spoil: Any, told: str
) -> None:
    bob = world.player("Bob")
    with pytest.raises(InvalidInput, match=told):
        bring(world, bob, spoil(saved))
    assert reached(world, bob) == ([], [])


def test_a_text_for_a_person_is_seen_again(world: World, saved: bytes) -> None:
    ada, bob = world.player("Ann"), world.player("Bob")
    questions.answer(
        world.services,
        player_id=ada,
        lesson_id="basics/zo",
        question="why",
        text="I want to kill myself",
    )
    bring(world, bob, carrying.export(world.services, player_id=ada).encode())
    with world.db.read() as session:
        first, second = session.scalars(
            select(QuestionAnswer.concern).where(
                QuestionAnswer.player_id.in_((ada, bob))
            )
        )
    assert first == second
    assert first is not None
