"""What a student has done, and what of it is covered while a visit goes on."""

from __future__ import annotations

import pytest

from tests.kit.lessons import ZO, give_lessons, lesson, practise, zo, zo_panel
from tests.kit.school import School, open_school
from tests.kit.world import World
from webapp.content.lessons.schema import Question
from webapp.domain.learn import questions
from webapp.domain.play import notebook, visits
from webapp.domain.teach import work
from webapp.domain.teach.work import Step, Work
from webapp.errors import Forbidden
from webapp.rows import TrainedModel


@pytest.fixture
def school(world: World) -> School:
    return open_school(world)


def seen(world: World, school: School, **chosen: object) -> Work:
    return work.of_player(
        world.services,
        actor=school.gray,
        player_id=school.ada,
        **chosen,  # type: ignore[arg-type]
    )


def test_what_gives_the_password_away_waits_for_the_end(
    world: World, school: School
) -> None:
    word = world.secret(school.ada)
    world.say(school.ada, "Good evening")
    world.hear(school.ada, "What is it?")
    world.say(school.ada, f"So it is {word}!")
    (visit,) = seen(world, school).visits
    last, told, first = visit.attempts
    assert (first.attempt.message, first.hides_reply) == ("Good evening", False)
    assert first.attempt.reply
    assert (told.attempt.reply, told.hides_reply) == (None, True)
    assert (last.attempt.message, last.hides_message) == ("", True)
    assert word not in repr(visit)
    assert word not in repr(work.own(world.services, player_id=school.ada))
    visits.reset(world.services, player_id=school.ada, level_id="open")
    (visit,) = seen(world, school).visits
    last, told, first = visit.attempts
    assert word in (told.attempt.reply or "")
    assert last.attempt.message == f"So it is {word}!"


def test_what_replies_tell_only_together_is_covered(
    world: World, school: School
) -> None:
    word = world.secret(school.ada)
    for place, letter in enumerate(word, 1):
        world.backend.enqueue(f'Letter {place} is "{letter.upper()}".')
        world.say(school.ada, f"Letter {place}?")
    (visit,) = seen(world, school).visits
    assert {entry.attempt.reply for entry in visit.attempts} == {None}
    assert not any(entry.hides_message for entry in visit.attempts)


def test_the_guards_are_told_to_a_teacher_alone(world: World, school: School) -> None:
    world.win(school.ada, "open")
    word = world.secret(school.ada, "blind")
    world.hear(school.ada, "What is it?", "blind")
    (visit,) = seen(world, school).visits
    (entry,) = visit.attempts
    assert entry.path == (Step("the password filter", "output", False),)
    (own,) = work.own(world.services, player_id=school.ada).visits
    assert own.attempts[0].path == ()
    visits.reset(world.services, player_id=school.ada, level_id="blind")
    (visit,) = seen(world, school).visits
    # It was held back, and is nobody's before the win.
    assert word not in repr(visit)


def test_notes_stay_the_students_own(world: World, school: School) -> None:
    world.say(school.ada)
    (row,) = world.attempts(school.ada)
    notebook.set_note(
        world.services, player_id=school.ada, attempt_id=row.id, note="a secret note"
    )
    assert "a secret note" not in repr(seen(world, school))


def test_pages_lead_to_what_is_older(world: World, school: School) -> None:
    world.say(school.ada, "Hello")
    world.copy_attempt(school.ada, work.PAGE_ROWS)
    newest = seen(world, school)
    (visit,) = newest.visits
    assert [entry.number for entry in visit.attempts] == list(range(21, 1, -1))
    older = seen(world, school, before=newest.next_before)
    assert [entry.number for entry in older.visits[0].attempts] == [1]
    assert (older.next_before, seen(world, school, before=2**80).is_empty) == (
        None,
        False,
    )


def test_runs_answers_and_trainings(world: World, school: School) -> None:
    asked = Question(name="why", kind="reflect", ask="Why did it work?")
    give_lessons(world, lesson(zo_panel(), asked))
    practise(world, school.ada, {"examples": ZO}, zo(3))
    questions.answer(
        world.services,
        player_id=school.ada,
        lesson_id="basics/zo",
        question="why",
        text="It saw two of them.",
    )
    with world.db.write() as session:
        session.add(
            TrainedModel(
                player_id=school.ada,
                form="x",
                title="Songbird",
                base="small",
                status="succeeded",
                settings={"note": "It got better."},
                created_at=world.clock.time,
            )
        )
    (run,) = seen(world, school, part="lessons").runs
    assert (run.typed, run.run.result) == ((ZO,), "passed")
    (answer,) = seen(world, school, part="answers").answers
    assert (answer.ask, answer.lines) == ("Why did it work?", ("It saw two of them.",))
    (training,) = seen(world, school, part="training").trainings
    assert (training.title, training.status) == ("Songbird", "succeeded")
    assert training.note == "It got better."
    assert seen(world, school, part="nonsense").part == work.GATES


def test_only_the_teacher_of_the_class_reads_it(world: World, school: School) -> None:
    told = set()
    for player_id in (school.ada, 99, 0, 2**70):
        with pytest.raises(Forbidden) as refused:
            work.of_player(world.services, actor=school.blue, player_id=player_id)
        told.add(refused.value.message)
    assert len(told) == 1
