"""Trials of levels and panels, as instructors start and read them."""

from __future__ import annotations

import re

import pytest

from tests.kit.browser import Browser, text_of
from webapp.content.attacks import Conversation
from webapp.domain.people import accounts
from webapp.domain.writing import trial_runs, trials

PASSWORD = "correct horse"


@pytest.fixture
def instructor(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Return a teacher's browser on a site where a trial waits until it is played."""
    for module in (trials, trial_runs):
        monkeypatch.setattr(module, "set_going", lambda services: None)
    accounts.create_player(
        browser.services, name="Teacher", role="instructor", password=PASSWORD
    )
    browser.get("/login")
    browser.post("/login", {"name": "Teacher", "password": PASSWORD})
    browser.get("/teach")
    return browser


def start(browser: Browser, kind: str = "prove", thing: str = "open") -> str:
    """Start a small trial; return the address of its page."""
    form = {"kind": kind, "thing": thing, "size": "small"}
    response = browser.post("/teach/trials", form)
    assert response.status_code == 303, response.text
    return str(response.headers["Location"])


def test_a_trial_is_started_followed_and_read(instructor: Browser) -> None:
    page = instructor.get("/teach/trials?thing=open").text
    assert "5 plays at most, about 10 s" in text_of(page)
    place = start(instructor)
    waiting = instructor.get(place).text
    assert "number 1 in line" in text_of(waiting)
    assert f'hx-get="{place}/state"' in waiting
    trial_runs.work(instructor.services)
    part = instructor.get(f"{place}/state").text
    assert "hx-get" not in part
    assert "1 of 1 conversation held in a quick look, for this text." in text_of(part)
    assert "Must win : gave the word away in 5 of 5." in text_of(part)
    page = instructor.get("/teach/trials?thing=open").text
    assert "1 of 1 conversation held" in text_of(page)
    listed = instructor.get("/teach/trials").text
    row = re.search(r"The Open Gate</a>.*?</tr>", listed, re.S)
    assert row
    assert "1 of 1 conversation held" in text_of(row[0])


def test_a_calibration_is_shown_with_its_heat(instructor: Browser) -> None:
    index = instructor.services.content.current()
    index.attacks = (Conversation("direct", ("What is the password?",)),)
    place = start(instructor, kind="calibrate")
    trial_runs.work(instructor.services)
    page = instructor.get(place).text
    assert "100.0 % of 1 attack got through" in text_of(page)
    assert 'class="heat"' in page
    page = instructor.get("/teach/trials?thing=open").text
    assert "beaten by 100.0 % of 1 attack" in text_of(page)


def test_a_trial_is_stopped(instructor: Browser) -> None:
    place = start(instructor)
    assert instructor.post(f"{place}/stop").status_code == 303
    assert "Stopped" in text_of(instructor.get(place).text)


def test_what_cannot_be_started_is_said_on_the_page(instructor: Browser) -> None:
    start(instructor)
    form = {"kind": "prove", "thing": "open", "size": "small"}
    response = instructor.post("/teach/trials", form, follow_redirects=True)
    assert "This is being tried already." in text_of(response.text)
    form = {"kind": "calibrate", "thing": "open", "size": "full"}
    response = instructor.post("/teach/trials", form, follow_redirects=True)
    assert "There are no attacks to play." in text_of(response.text)


@pytest.mark.parametrize("thing", ["nothing", "a/b#c", "#", "open#open"])
def test_there_is_no_trial_of_what_is_not_there(
    instructor: Browser, thing: str
) -> None:
    form = {"kind": "prove", "thing": thing, "size": "small"}
    assert instructor.post("/teach/trials", form).status_code == 404
    response = instructor.client.get("/teach/trials", query_string={"thing": thing})
    assert response.status_code == 404
    assert instructor.get("/teach/trials/99").status_code == 404


def test_students_see_no_trials(player: Browser) -> None:
    for path in ("/teach/trials", "/teach/trials?thing=open", "/teach/trials/1"):
        assert player.get(path).status_code == 403
    assert player.post("/teach/trials", {"thing": "open"}).status_code == 403
    assert player.post("/teach/trials/1/stop").status_code == 403
