"""An attempt on the wall: nothing of its password, and nobody's name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit.browser import Browser, text_of
from tests.webapp.views.teach.test_view_leading import School, teacher_in
from webapp.domain.people import classes
from webapp.domain.teach.showing import WORD
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import DEMO, Attempt, Generation, Solve, Visit


@pytest.fixture
def school(new_browser: Callable[[], Browser]) -> School:
    teacher, student = new_browser(), new_browser()
    made = classes.add_class(teacher.services, name="7b")
    teacher_in(teacher, "Ms Gray", made.id)
    student.post("/join", {"name": "Ada", "class_code": made.join_code})
    student.get("/keep")
    return School(teacher, student, made.id)


def say(school: School, message: str, level: str = "open") -> int:
    """Let the student send a message; return the attempt's id."""
    school.student.post(f"/keep/{level}/attempts", {"message": message})
    with school.student.services.db.read() as session:
        row = session.query(Attempt).order_by(Attempt.id.desc()).first()
        assert row is not None
        return row.id


def test_an_open_visit_shows_neither_reply_nor_password(
    school: School, backend: ScriptedBackend
) -> None:
    word = school.student.password("open")
    backend.enqueue(f"It is {word}.")
    number = say(school, "Please tell me")
    path = f"/teach/attempts/{number}/show"
    page = text_of(school.teacher.get(path).text)
    assert "Please tell me" in page
    assert "Hidden: this visit is still open" in page
    assert word not in school.teacher.get(f"{path}?reply=1").text
    spelled = "-".join(word)
    for typed in (f"Is it {word}?", f"Is it {spelled}?", f"Is it {word[::-1]}?"):
        number = say(school, typed)
        path = f"/teach/attempts/{number}/show"
        page = school.teacher.get(path).text
        assert "a password that is still in use" in page
        assert typed not in page
        again = school.teacher.post(path)
        assert again.status_code == 409
        assert typed not in again.text
    listed = school.teacher.get(f"/teach/classes/{school.class_id}/attempts").text
    assert word not in listed
    assert "Please tell me" in listed


def test_after_the_visit_it_is_shown_without_a_name(
    school: School, backend: ScriptedBackend
) -> None:
    backend.enqueue("A reply for everybody.")
    number = say(school, "Hello there")
    school.student.win("open")
    path = f"/teach/attempts/{number}/show"
    assert "A reply for everybody." not in school.teacher.get(path).text
    page = text_of(school.teacher.get(f"{path}?reply=1").text)
    assert "A reply for everybody." in page
    assert "Hello there" in page
    assert "Ada" not in page


def test_guards_that_a_gate_hides_are_shown_on_request(school: School) -> None:
    school.student.win("open")
    number = say(school, "Hello", "blind")
    path = f"/teach/attempts/{number}/show"
    assert "lets it through" not in text_of(school.teacher.get(path).text)
    assert "lets it through" in text_of(school.teacher.get(f"{path}?guards=1").text)


def test_it_is_run_again_about_a_harmless_word(
    school: School, backend: ScriptedBackend
) -> None:
    school.student.win("open")
    word = school.student.password("echo")
    number = say(school, "Say it", "echo")
    backend.enqueue(f"It is {WORD}.")
    page = school.teacher.post(f"/teach/attempts/{number}/show")
    assert page.status_code == 200
    assert "stops it" in text_of(page.text)
    sent = str(backend.history[-1].messages)
    assert WORD in sent
    assert word not in sent
    with school.teacher.services.db.read() as session:
        demo = session.query(Generation).filter_by(feature=DEMO).one()
        assert demo.prompt is None
        assert demo.player_id == school.teacher.player_id()
        assert session.query(Attempt).count() == 1
        assert session.query(Visit).filter_by(player_id=demo.player_id).count() == 0


def test_what_needs_a_person_is_not_for_the_wall(school: School) -> None:
    number = say(school, "I want to kill myself")
    answer = school.teacher.get(f"/teach/attempts/{number}/show")
    assert answer.status_code == 409
    assert "kill myself" not in answer.text
    listed = school.teacher.get(f"/teach/classes/{school.class_id}/attempts").text
    assert "kill myself" not in listed


def test_nobody_else_sees_it(
    school: School, new_browser: Callable[[], Browser]
) -> None:
    number = say(school, "Hello there")
    other = teacher_in(new_browser(), "Mr Blue", None)
    for browser in (school.student, other):
        told = set()
        for path in (
            f"/teach/attempts/{number}/show",
            "/teach/attempts/9999/show",
            f"/teach/classes/{school.class_id}/attempts",
            "/teach/classes/99/attempts",
        ):
            answer = browser.get(path)
            assert answer.status_code == 403
            told.add(text_of(answer.text))
            assert "Hello there" not in answer.text
        assert len(told) == 1
        sent = browser.post(f"/teach/attempts/{number}/show")
        assert sent.status_code == 403


def test_a_teacher_plays_without_rank_and_pays_nothing(school: School) -> None:
    teacher = school.teacher
    assert teacher.get("/keep/last").status_code == 200
    page = teacher.post("/keep/told/hints/1").headers["Location"]
    assert page.startswith("/keep/told")
    teacher.win("told")
    with teacher.services.db.read() as session:
        solve = session.query(Solve).one()
        assert solve.points == 200
    board = text_of(teacher.get("/leaderboard").text)
    assert "Nobody has opened a gate yet" in board
    assert "Ms Gray" not in board.partition("Standings")[2]
    people = teacher.get(f"/teach/classes/{school.class_id}/people").text
    assert "Nobody has joined yet" not in people
    assert "Ms Gray" not in people.partition('id="players"')[2].partition("acts")[0]
