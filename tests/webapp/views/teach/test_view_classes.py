"""The pages of a class: progress, where it gets hard, a student's work, tables."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from tests.kit.browser import Browser, text_of
from tests.kit.judging import add_model
from webapp.domain.people import accounts, classes
from webapp.domain.play import attack
from webapp.domain.teach.tables import TABLES
from webapp.domain.train import noting

PASSWORD = "correct horse"


class School(NamedTuple):
    """Browsers of an instructor, of Ada and of Bob, and the id of their class."""

    teacher: Browser
    ada: Browser
    bob: Browser
    class_id: int

    @property
    def page(self) -> str:
        """The address of the class."""
        return f"/teach/classes/{self.class_id}"

    @property
    def work(self) -> str:
        """The address of Ada's work."""
        return f"/teach/players/{self.ada.player_id()}/work"


@pytest.fixture
def school(app, new_browser) -> School:
    services = app.extensions["wordkeep"]
    made = classes.add_class(services, name="7b")
    browsers = []
    for name, role in (("Ms Gray", "instructor"), ("Ada", "player"), ("Bob", "player")):
        accounts.create_player(
            services,
            name=name,
            role=role,
            class_code=made.join_code,
            password=PASSWORD,
        )
        browser = new_browser()
        browser.post("/login", {"name": name, "password": PASSWORD})
        browser.get("/keep")
        browsers.append(browser)
    teacher, ada, bob = browsers
    return School(teacher, ada, bob, made.id)


def say(browser: Browser, message: str, level_id: str = "open") -> None:
    run = attack.attack(
        browser.services,
        player_id=browser.player_id(),
        level_id=level_id,
        message=message,
    )
    assert list(run)


def test_everybody_is_on_the_page_of_the_class(school: School) -> None:
    say(school.ada, "<b>Hello</b>")
    school.ada.win("open")
    page = school.teacher.get(school.page).text
    words = text_of(page)
    assert "Nobody is stuck just now." in words
    assert "Ada just now 100 done, 1 attempts" in words
    assert "Bob not yet 0 · not begun" in words
    assert 'href="/teach/classes/1/csv/progress"' in page


def test_a_part_of_it_is_fetched_again(school: School) -> None:
    part = school.teacher.get(
        f"{school.page}?sort=-points", headers={"HX-Request": "true"}
    ).text
    assert part.lstrip().startswith('<div id="live"')
    assert f'hx-get="{school.page}?sort=-points"' in part
    assert "<html" not in part


def test_headings_sort_and_sort_back(school: School) -> None:
    school.bob.win("open")
    page = school.teacher.get(school.page).text
    link = re.search(r'id="by-points" href="([^"]+)"', page)
    assert link
    assert link[1] == f"{school.page}?sort=-points#students"
    sorted_page = school.teacher.get(f"{school.page}?sort=-points").text
    names = re.findall(r'id="name-\d+"[^>]*>(\w+)', sorted_page)
    assert names == ["Bob", "Ada"]
    assert 'aria-sort="descending"><a id="by-points"' in sorted_page
    assert f'id="by-points" href="{school.page}?sort=points#students"' in sorted_page


def test_lessons_of_a_track_open(school: School) -> None:
    opened = school.teacher.get(f"{school.page}?track=nothing&ladder=nothing")
    assert opened.status_code == 200


def test_a_shared_password_is_evidence_for_the_class_alone(
    school: School, new_browser
) -> None:
    stranger = new_browser().play("Zoe")
    words = [browser.password("open") for browser in (school.ada, stranger)]
    # One pair of players in 2,744 gets the same word by chance.
    while school.bob.password("open") in words:
        school.bob.post("/keep/open/reset")
    for word in words:
        school.bob.post("/keep/open/guesses", {"guess": word})
    page = text_of(school.teacher.get(school.page).text)
    assert "open Bob Ada 0.1 %" in page
    assert "open Bob somebody in another class" in page
    assert "Zoe" not in page
    assert not set(words) & set(page.split())
    assert "Bob" not in text_of(school.teacher.get("/teach").text)


def test_what_a_student_did_is_read_by_both(school: School) -> None:
    school.ada.win("open")
    say(school.ada, "<b>Hello</b>", "blind")
    for browser, address in ((school.teacher, school.work), (school.ada, "/me/seen")):
        for part in ("gates", "lessons", "answers", "training"):
            answer = browser.get(f"{address}?part={part}")
            assert answer.status_code == 200
        page = browser.get(f"{address}?before=99").text
        assert "&lt;b&gt;Hello" in page
        assert "<b>Hello" not in page
        named = "The password filter read the reply" in text_of(page)
        assert named == (browser is school.teacher)
    assert "What my teacher sees" in school.ada.get("/me").text
    assert 'href="/me/seen"' in school.ada.get("/rules").text


def test_a_note_on_a_training_is_read_by_both(school: School, new_browser) -> None:
    services, ada = school.ada.services, school.ada.player_id()
    run_id = add_model(services, ada, "soup")
    noting.keep(services, player_id=ada, run_id=run_id, note="It fell. <b>Mine</b>")
    for browser, address in ((school.teacher, school.work), (school.ada, "/me/seen")):
        page = browser.get(f"{address}?part=training").text
        assert "It fell. &lt;b&gt;Mine" in page
    assert "It fell." not in school.bob.get(f"{school.work}?part=training").text


def test_the_funnel_names_gates_and_guards(school: School) -> None:
    school.ada.win("open")
    say(school.ada, "password", "full")
    page = text_of(school.teacher.get(f"{school.page}/funnel").text)
    assert "1. The Open Gate 1 1 0 0" in page
    assert "The word filter: 1 message of 1 student" in page


def test_tables_are_sent_as_files(school: School) -> None:
    for what in TABLES:
        answer = school.teacher.get(f"{school.page}/csv/{what}")
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        assert answer.data.startswith(b"\xef\xbb\xbf")
        assert f"wordkeep-class-1-{what}.csv" in answer.headers["Content-Disposition"]
    assert school.teacher.get(f"{school.page}/csv/nothing").status_code == 404


def test_no_page_tells_the_password_of_a_visit_that_goes_on(school: School) -> None:
    word = school.ada.password("open")
    say(school.ada, f"Is it {word}?")
    addresses = [
        school.page,
        f"{school.page}/funnel",
        school.work,
        *(f"{school.page}/csv/{what}" for what in TABLES),
    ]
    for address in addresses:
        assert word not in school.teacher.get(address).text.lower()
    school.ada.win("open")
    assert word in school.teacher.get(school.work).text
