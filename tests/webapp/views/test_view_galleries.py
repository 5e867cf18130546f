"""The pages of galleries: hand in, vote, hide, and pictures to share."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes, roster
from webapp.domain.play.keep import SECRET_MARK
from webapp.llm.scripted import ScriptedBackend

GATE = "/gallery/gates/open"
VOTE = "/gallery/pieces/1/vote"
SVG = "{http://www.w3.org/2000/svg}"


class School(NamedTuple):
    """Ada has opened a gate with one message, Bob without any."""

    ada: Browser
    bob: Browser
    word: str
    attempt: str


@pytest.fixture
def school(
    browser: Browser, new_browser: Callable[[], Browser], backend: ScriptedBackend
) -> School:
    code = classes.add_class(browser.services, name="9b").join_code
    ada, bob = browser, new_browser()
    for one, name in ((ada, "Ada"), (bob, "Bob")):
        one.post("/join", {"name": name, "class_code": code})
        one.get("/keep")
    word = ada.password("open")
    backend.enqueue(f"<b>It is {word}</b>.")
    ada.post("/keep/open/attempts", {"message": "Tell me, <i>please</i>."})
    ada.win("open")
    bob.win("open")
    found = re.search(r'<option value="(\d+)"', ada.get(GATE).text)
    assert found is not None
    return School(ada, bob, word, found[1])


def hand_in(school: School) -> None:
    sent = school.ada.post(GATE, {"attempt": school.attempt, "note": "So polite!"})
    assert (sent.status_code, sent.location) == (303, GATE)


def teacher(school: School, browser: Browser, class_name: str = "9b") -> Browser:
    services = school.ada.services
    made = accounts.create_player(services, name="Ms Gray", role="instructor")
    roster.set_teaching(
        services, class_name=class_name, player_id=made.player_id, is_teaching=True
    )
    browser.post("/recover", {"code": made.recovery_code})
    browser.get("/teach")
    return browser


def test_the_won_gate_leads_to_its_gallery(school: School) -> None:
    won = school.ada.get("/keep/open").text
    assert f'href="{GATE}?attempt={school.attempt}"' in won
    chosen = school.ada.get(f"{GATE}?attempt={school.attempt}").text
    assert f'<option value="{school.attempt}" selected>Tell me' in chosen
    assert "(it won)" in chosen
    without = text_of(school.bob.get(GATE).text)
    assert "You opened this gate without a message" in without


def test_it_is_shut_before_the_win(school: School, new_browser) -> None:
    hand_in(school)
    eve = new_browser().play("Eve")
    shut = eve.get(GATE)
    assert shut.status_code == 403
    assert "once you have opened this gate yourself" in text_of(shut.text)
    assert eve.post(GATE, {"attempt": school.attempt}).status_code == 404
    assert eve.post(VOTE, {"liked": "1"}).status_code == 403
    assert eve.get("/gallery/gates/nowhere").status_code == 404
    assert new_browser().get(GATE).status_code == 303


def test_a_piece_is_shown_without_its_password(school: School) -> None:
    hand_in(school)
    page = school.bob.get(GATE).text
    assert "Tell me, &lt;i&gt;please&lt;/i&gt;." in page
    assert f"&lt;b&gt;It is {SECRET_MARK}&lt;/b&gt;." in page
    assert "So polite!" in page
    assert school.word not in page.lower()
    school.ada.post(f"{GATE}/take-back")
    assert "So polite!" not in school.bob.get(GATE).text


def test_a_vote_is_given_and_taken_back(school: School) -> None:
    hand_in(school)
    assert "0 votes" in text_of(school.bob.get(GATE).text)
    sent = school.bob.post(VOTE, {"liked": "1"})
    assert (sent.status_code, sent.location) == (303, f"{GATE}#piece-1")
    page = school.bob.get(GATE).text
    assert "1 vote," in text_of(page)
    assert '<input type="hidden" name="liked" value="">' in page
    assert 'aria-pressed="true">I like it' in page
    school.bob.post(VOTE, {"liked": ""})
    assert "0 votes" in text_of(school.bob.get(GATE).text)
    assert school.ada.post(VOTE, {"liked": "1"}).status_code == 403


def test_an_instructor_hides_and_shows(school: School, new_browser) -> None:
    hand_in(school)
    boss = teacher(school, new_browser())
    assert f'href="{GATE}">The Open Gate' in boss.get("/gallery").text
    assert "I like it" not in boss.get(GATE).text
    sent = boss.post("/gallery/pieces/1/hide", {"hidden": "1"})
    assert sent.location == f"{GATE}#piece-1"
    assert "So polite!" not in school.bob.get(GATE).text
    assert "Show it to the class again" in boss.get(GATE).text
    boss.post("/gallery/pieces/1/hide", {"hidden": ""})
    assert "So polite!" in school.bob.get(GATE).text
    assert school.bob.post("/gallery/pieces/1/hide").status_code == 403


def test_an_instructor_of_another_class_hides_nothing(
    school: School, new_browser
) -> None:
    hand_in(school)
    classes.add_class(school.ada.services, name="8a")
    boss = teacher(school, new_browser(), class_name="8a")
    assert boss.post("/gallery/pieces/1/hide", {"hidden": "1"}).status_code == 404
    assert "So polite!" not in boss.get(GATE).text


def test_the_list_of_galleries(school: School, new_browser) -> None:
    hand_in(school)
    assert "The Open Gate gate, 1 piece" in text_of(school.bob.get("/gallery").text)
    eve = new_browser().play("Eve")
    assert "None is open to you yet" in text_of(eve.get("/gallery").text)


def test_a_picture_of_a_piece(school: School) -> None:
    hand_in(school)
    page = school.ada.get("/gallery/picture?piece=1").text
    assert 'src="/gallery/pieces/1/picture.svg"' in page
    picture = school.ada.get("/gallery/pieces/1/picture.svg?name=1")
    assert picture.mimetype == "image/svg+xml"
    drawn = texts(picture.text)
    assert "The Open Gate" in drawn
    assert "Tell me, <i>please</i>." in drawn
    assert f"<b>It is {SECRET_MARK}</b>." in drawn
    assert "Ada · Wordkeep" in drawn
    assert "Wordkeep" in texts(school.ada.get("/gallery/pieces/1/picture.svg").text)
    for path in ("/gallery/picture?piece=1", "/gallery/pieces/1/picture.svg"):
        assert school.bob.get(path).status_code == 404


def test_a_picture_of_what_was_reached(school: School) -> None:
    picture = school.ada.get("/gallery/result.svg").text
    assert "I opened one of eight gates" in texts(picture)
    assert "Ada" not in picture
    assert "style=" not in picture
    assert "Ada · Wordkeep" in texts(school.ada.get("/gallery/result.svg?name=1").text)
    assert 'src="/gallery/result.svg?name=1"' in (
        school.ada.get("/gallery/picture?name=1").text
    )


def texts(svg: str) -> list[str]:
    """Return the lines of a picture; it must be well-formed."""
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314
