"""The page on which a class is led, and what its students see of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes, roster
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import SchoolClass, Teaching


class School(NamedTuple):
    """A teacher and a student of a class, and its id."""

    teacher: Browser
    student: Browser
    class_id: int

    @property
    def lead(self) -> str:
        """The address at which the class is led."""
        return f"/teach/classes/{self.class_id}/lead"


def teacher_in(browser: Browser, name: str, class_id: int | None) -> Browser:
    made = accounts.create_player(browser.services, name=name, role="instructor")
    if class_id is not None:
        with browser.services.db.write() as session:
            session.add(Teaching(class_id=class_id, player_id=made.player_id))
    browser.post("/recover", {"code": made.recovery_code})
    browser.get("/teach")
    return browser


@pytest.fixture
def school(new_browser: Callable[[], Browser]) -> School:
    teacher, student = new_browser(), new_browser()
    made = classes.add_class(teacher.services, name="7b")
    teacher_in(teacher, "Ms Gray", made.id)
    student.post("/join", {"name": "Ada", "class_code": made.join_code})
    student.get("/keep")
    return School(teacher, student, made.id)


def test_a_gate_is_closed_and_opened(school: School) -> None:
    rules = f"{school.lead}/rules"
    answer = school.teacher.post(
        rules, {"kind": "gate", "thing": "open", "state": "closed"}
    )
    assert answer.status_code == 303
    assert "Closed for your class" in text_of(school.student.get("/keep").text)
    shut = school.student.get("/keep/open")
    assert shut.status_code == 403
    assert "closed for your class" in text_of(shut.text)
    school.teacher.post(rules, {"kind": "gate", "thing": "told", "state": "open"})
    assert school.student.get("/keep/told").status_code == 200
    school.teacher.post(rules, {"kind": "gate", "thing": "open", "state": ""})
    assert school.student.get("/keep/open").status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"until": "2020-01-01T10:00"}, "over already"),
        ({"since": "2999-02-01T10:00", "until": "2999-01-01T10:00"}, "after the"),
        ({"since": "tomorrow"}, "Write a time as"),
    ],
)
def test_times_that_cannot_be_are_one_sentence(
    school: School, fields: dict[str, str], sentence: str
) -> None:
    rule = {"kind": "gate", "thing": "open", "state": "closed", **fields}
    answer = school.teacher.post(f"{school.lead}/rules", rule)
    assert answer.status_code == 400
    assert sentence in text_of(answer.text)


def test_a_moment_comes_back_in_its_field(school: School) -> None:
    rule = {"kind": "track", "thing": "", "state": "closed"}
    assert school.teacher.post(f"{school.lead}/rules", rule).status_code == 404
    rule = {"kind": "hints", "thing": "", "state": "closed"}
    school.teacher.post(f"{school.lead}/rules", rule | {"until": "2999-01-01T10:00"})
    page = school.teacher.get(school.lead).text
    assert 'name="until" data-utc value="2999-01-01T10:00"' in page
    assert "closed for now" not in school.student.get("/learn").text
    hints = school.student.get("/keep/open").text
    assert "Your instructor has closed the hints for now" in hints


def test_everybody_looks_here_and_goes_on(school: School) -> None:
    look = {"sentence": "Eyes to the board, please!"}
    assert school.teacher.post(f"{school.lead}/look", look).status_code == 303
    assert "Eyes to the board" in text_of(school.student.get("/learn").text)
    refused = school.student.post("/keep/open/attempts", {"message": "My own words"})
    assert refused.status_code == 409
    assert "Eyes to the board" in text_of(refused.text)
    assert "\nMy own words</textarea>" in refused.text
    as_stream = school.student.post(
        "/keep/open/attempts",
        {"message": "Hello"},
        headers={"Accept": "text/event-stream"},
    )
    assert as_stream.get_json()["error"]["code"] == "paused"
    guess = school.student.post("/keep/open/guesses", {"guess": "word"})
    assert guess.status_code == 409
    school.teacher.post(f"{school.lead}/go-on")
    assert "Eyes to the board" not in school.student.get("/learn").text
    sent = school.student.post("/keep/open/attempts", {"message": "Hello"})
    assert sent.status_code == 303


def test_an_open_page_hears_what_is_new_and_nothing_else(school: School) -> None:
    first = school.student.get("/class/now")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert school.student.get("/class/now", headers=tag).status_code == 304
    clock = {"title": "Gates 1 to 3", "minutes": "20"}
    school.teacher.post(f"{school.lead}/clock", clock)
    fresh = school.student.get("/class/now", headers=tag)
    assert fresh.status_code == 200
    assert "Gates 1 to 3" in fresh.text
    ends = re.findall(r'data-ends-at="([^"]+)"', fresh.text)
    assert len(ends) == 1
    school.teacher.post(f"{school.lead}/clock/add")
    later = re.findall(r'data-ends-at="([^"]+)"', school.student.get("/class/now").text)
    assert later > ends
    school.teacher.post(f"{school.lead}/clock/stop")
    assert school.student.get("/class/now", headers=tag).status_code == 304
    assert school.teacher.post(f"{school.lead}/clock/add").status_code == 409


@pytest.mark.parametrize("minutes", ["", "0", "601", "ten", "٣", "-5"])
def test_a_clock_that_cannot_run_is_told_at_its_field(
    school: School, minutes: str
) -> None:
    clock = {"title": "Talk", "minutes": minutes}
    answer = school.teacher.post(f"{school.lead}/clock", clock)
    assert answer.status_code == 400
    assert "A clock runs for 1 to 600 minutes" in answer.text
    assert 'value="Talk"' in answer.text


def test_who_has_no_class_is_not_asked_to_look(
    school: School, new_browser: Callable[[], Browser]
) -> None:
    guest = new_browser().play("Bob")
    assert "<class-bar" not in guest.get("/learn").text
    assert guest.get("/class/now").status_code == 204
    assert new_browser().get("/class/now").status_code == 204
    assert "<class-bar" not in school.teacher.get("/learn").text
    assert "<class-bar" in school.student.get("/learn").text


def test_a_new_season_keeps_the_board_of_the_old_one(school: School) -> None:
    school.student.win("open")
    season = f"{school.lead}/season"
    assert school.teacher.post(season).status_code == 400
    assert school.teacher.post(season, {"is_sure": "y"}).status_code == 303
    assert "Season 2" in school.teacher.get(school.lead).text
    board = school.teacher.get(f"/teach/classes/{school.class_id}/seasons/1")
    assert "Ada" in text_of(board.text)
    nothing = school.teacher.get(f"/teach/classes/{school.class_id}/seasons/2")
    assert nothing.status_code == 404
    assert school.student.get("/keep/told").status_code == 403
    page = roster.class_page(
        school.teacher.services, actor=roster.COMMAND, class_id=school.class_id
    )
    assert page.acts[0].what == "began a new season"


def test_replies_are_masked_for_the_class(
    school: School, backend: ScriptedBackend
) -> None:
    school.teacher.post(f"{school.lead}/masks", {"on": "1"})
    backend.enqueue("Oh shit, I said that.")
    school.student.post("/keep/open/attempts", {"message": "Swear, please"})
    assert "Oh ••••, I said that." in school.student.get("/keep/open").text
    assert "Oh ••••, I said that." in school.student.get("/notebook").text
    school.teacher.post(f"{school.lead}/masks", {"on": "0"})
    assert "Oh shit, I said that." in school.student.get("/keep/open").text


PAGES = ["lead", "seasons/1"]
ACTS = ["rules", "clock", "clock/add", "clock/stop", "look", "go-on", "masks", "season"]


def test_nobody_else_leads_a_class(
    school: School, new_browser: Callable[[], Browser]
) -> None:
    other = teacher_in(new_browser(), "Mr Blue", None)
    form = {
        "kind": "gate",
        "thing": "open",
        "state": "closed",
        "title": "x",
        "minutes": "5",
        "sentence": "Look",
        "is_sure": "y",
    }
    for browser in (school.student, other):
        for class_id in (school.class_id, 99):
            base = f"/teach/classes/{class_id}"
            told = {text_of(browser.get(f"{base}/{page}").text) for page in PAGES}
            assert len(told) == 1
            statuses = [browser.get(f"{base}/{page}").status_code for page in PAGES]
            statuses += [
                browser.post(f"{base}/lead/{act}", form).status_code for act in ACTS
            ]
            assert set(statuses) == {403}
    with school.teacher.services.db.read() as session:
        row = session.get_one(SchoolClass, school.class_id)
        assert (row.season, row.look_here, row.clock_ends_at) == (1, None, None)
