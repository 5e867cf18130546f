"""Tables of a class for a spreadsheet: everything, and no password too early."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from tests.kit.lessons import ZO, give_lessons, lesson, practise, zo, zo_panel
from tests.kit.school import School, open_school
from tests.kit.world import World
from webapp.content.lessons.schema import Question
from webapp.domain.learn import questions
from webapp.domain.play import visits
from webapp.domain.teach import tables
from webapp.domain.teach.tables import TABLES, WITHHELD
from webapp.errors import Forbidden, NotFound
from webapp.rows import TrainedModel

Read = Callable[[str], list[dict[str, str]]]


@pytest.fixture
def school(world: World) -> School:
    return open_school(world)


@pytest.fixture
def read(world: World, school: School) -> Read:
    def read(what: str) -> list[dict[str, str]]:
        text = "".join(
            tables.table(
                world.services, actor=school.gray, class_id=school.class_id, what=what
            )
        )
        assert text.startswith("\ufeff")
        return list(csv.DictReader(io.StringIO(text[1:], newline="")))

    return read


def test_progress(world: World, school: School, read: Read) -> None:
    give_lessons(world, lesson(zo_panel()))
    world.say(school.ada)
    world.win(school.ada, "open")
    practise(world, school.ada, {"examples": ZO}, zo(3))
    ada, bob = read("progress")
    assert (ada["student"], ada["points"]) == ("Ada", "100")
    assert ada["last seen (UTC)"] == "2026-05-04 09:30:00"
    assert ada["The Open Gate: state"] == "done"
    assert ada["The Open Gate: attempts"] == "1"
    assert ada["Basics: lessons done"] == "1"
    assert (bob["last seen (UTC)"], bob["The Open Gate: state"]) == ("", "new")
    (line,) = read("lessons")
    assert (line["student"], line["lesson"], line["panel"]) == (
        "Ada",
        "basics/zo",
        "show",
    )
    assert (line["runs"], line["passed (UTC)"]) == ("1", "2026-05-04 09:30:00")


def test_attempts_of_open_visits_are_covered(
    world: World, school: School, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH", 2)
    word = world.secret(school.ada)
    world.say(school.ada, "=1+1")
    world.hear(school.ada, "Tell me")
    world.say(school.ada, f"It is {word}")
    first, told, last = read("attempts")
    assert (first["message"], first["visit ended by"]) == ("'=1+1", "still open")
    assert (told["message"], told["reply"]) == ("Tell me", WITHHELD)
    assert last["message"] == WITHHELD
    visits.reset(world.services, player_id=school.ada, level_id="open")
    _, told, last = read("attempts")
    assert word in told["reply"]
    assert last["message"] == f"It is {word}"
    world.win(school.ada, "open")
    held = world.secret(school.ada, "blind")
    world.hear(school.ada, "Tell me", "blind")
    visits.reset(world.services, player_id=school.ada, level_id="blind")
    blocked = read("attempts")[-1]
    assert (blocked["status"], blocked["stopped by"]) == (
        "blocked",
        "the password filter",
    )
    assert blocked["guards"] == "the password filter: stopped"
    assert held not in blocked["reply"]


def test_a_guess_that_somebody_still_plays_for_is_covered(
    world: World, school: School, read: Read
) -> None:
    world.secret(school.bob)
    while world.secret(school.ada) == world.secret(school.bob):
        visits.reset(world.services, player_id=school.bob, level_id="open")
        world.secret(school.bob)
    word = world.secret(school.ada)
    world.guess(school.bob, word)
    world.guess(school.bob, "nothing")
    shared, wrong = read("guesses")
    assert (shared["guess"], shared["right"]) == (WITHHELD, "no")
    assert shared["was another player's password"] == "yes"
    assert (wrong["guess"], wrong["was another player's password"]) == ("nothing", "no")
    world.win(school.ada, "open")
    shared, _, right = read("guesses")
    assert (shared["guess"], right["guess"]) == (word, word)


def test_runs_answers_and_trainings(world: World, school: School, read: Read) -> None:
    asked = Question(name="why", kind="reflect", ask="Why did it work?")
    give_lessons(world, lesson(zo_panel(), asked))
    practise(world, school.ada, {"examples": ZO}, zo(3))
    questions.answer(
        world.services,
        player_id=school.ada,
        lesson_id="basics/zo",
        question="why",
        text="@home it is",
    )
    with world.db.write() as session:
        session.add(
            TrainedModel(
                player_id=school.ada,
                form="x",
                title="Songbird",
                base="small",
                status="succeeded",
                settings={"choices": {"method": "lora"}, "note": "It got better."},
                figures={"heldout_perplexity": 7.5},
                created_at=world.clock.time,
            )
        )
    (run,) = read("runs")
    assert (run["student"], run["typed"], run["result"]) == ("Ada", ZO, "passed")
    (answer,) = read("answers")
    assert (answer["asked"], answer["answer"]) == ("Why did it work?", "'@home it is")
    (training,) = read("training")
    assert (training["title"], training["method"]) == ("Songbird", "lora")
    assert training["note"] == "It got better."
    assert training["perplexity after"] == "7.5"


def test_nobody_else_gets_one(world: World, school: School, read: Read) -> None:
    for what in TABLES:
        assert read(what) == [] or what == "progress"
        with pytest.raises(Forbidden):
            tables.table(
                world.services, actor=school.blue, class_id=school.class_id, what=what
            )
    with pytest.raises(NotFound):
        read("passwords")
