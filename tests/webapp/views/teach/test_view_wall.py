"""The page of the wall: its link, its part that changes, and its theme."""

from __future__ import annotations

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes, roster
from webapp.domain.people.classes import ClassInfo
from webapp.domain.teach import wall as walls
from webapp.rows import SchoolClass

PART = {"HX-Request": "true"}


@pytest.fixture
def nine(browser: Browser) -> ClassInfo:
    return classes.add_class(browser.services, name="9b")


@pytest.fixture
def link(browser: Browser, nine: ClassInfo) -> str:
    return f"/wall/{nine.id}?key={walls.link_key(browser.services, nine)}"


def teacher(browser: Browser) -> Browser:
    """Sign the teacher of the class in."""
    made = accounts.create_player(
        browser.services, name="Ms Gray", role="instructor", password="correct horse"
    )
    roster.set_teaching(
        browser.services, class_name="9b", player_id=made.player_id, is_teaching=True
    )
    browser.post("/login", {"name": "Ms Gray", "password": "correct horse"})
    return browser


def winner(browser: Browser, nine: ClassInfo) -> Browser:
    browser.post("/join", {"name": "<Mia>", "class_code": nine.join_code})
    browser.get("/keep")
    browser.win("open")
    return browser


def test_the_link_opens_it_without_a_sign_in(
    browser: Browser, new_browser, link: str, nine: ClassInfo
) -> None:
    winner(new_browser(), nine)
    page = browser.get(link)
    shown = text_of(page.text)
    assert page.status_code == 200
    assert "<Mia> opened The Open Gate without a message" in shown
    assert f"Join at localhost/join with the code {nine.join_code}" in shown
    assert "<nav" not in page.text
    assert 'data-theme="dark"' in page.text
    assert 'data-theme="light"' in browser.get(f"{link}&theme=light").text
    assert 'data-theme="dark"' in browser.get(f"{link}&theme=pink").text


def test_nobody_else_opens_it(
    browser: Browser, new_browser, player: Browser, nine: ClassInfo, link: str
) -> None:
    told = {
        (answer.status_code, walls.NOT_FOR_YOU in text_of(answer.text))
        for who in (new_browser(), player)
        for answer in (who.get("/wall/1"), who.get("/wall/99"), who.get(f"{link}x"))
    }
    assert told == {(403, True)}


def test_a_part_that_has_not_changed_is_not_sent(
    browser: Browser, new_browser, link: str, nine: ClassInfo
) -> None:
    part = browser.get(link, headers=PART)
    assert part.text.startswith('<div id="wall"')
    seen = {**PART, "If-None-Match": part.headers["ETag"]}
    unchanged = browser.get(link, headers=seen)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    winner(new_browser(), nine)
    assert browser.get(link, headers=seen).status_code == 200


def test_the_pages_of_the_class_lead_to_it(
    browser: Browser, new_browser, link: str, nine: ClassInfo
) -> None:
    signed_in = teacher(new_browser())
    for page in ("/teach", f"/teach/classes/{nine.id}/people"):
        assert f'href="{link}"' in signed_in.get(page).text
    assert signed_in.get(f"/wall/{nine.id}").status_code == 200


def test_a_class_that_is_shut_shows_no_code(
    browser: Browser, link: str, nine: ClassInfo
) -> None:
    with browser.services.db.write() as session:
        session.get_one(SchoolClass, nine.id).is_joinable = False
    page = browser.get(link).text
    assert nine.join_code not in page
    assert "wall__qr" not in page
