"""The leaderboard and how it keeps itself up to date."""

from __future__ import annotations

import re

from tests.kit.browser import Browser, text_of
from webapp.domain.people import classes
from webapp.domain.play.leaderboard import TIE_BREAKS

PART = {"HX-Request": "true"}


def test_everybody_may_look(browser: Browser) -> None:
    page = browser.get("/leaderboard")
    assert page.status_code == 200
    assert "Nobody has opened a gate yet" in page.text
    assert TIE_BREAKS in text_of(page.text)


def test_a_win_appears_and_is_marked_as_mine(player: Browser) -> None:
    player.post("/keep/open/attempts", {"message": "Hello"})
    player.win("open")
    page = player.get("/leaderboard").text
    row = re.search(r'<tr aria-current="true">.*?</tr>', page, re.DOTALL)
    assert row is not None
    assert text_of(row[0]).startswith("1 Ada (you) 100 1 1")
    assert "The Open Gate 1 1 by Ada 5 by Ada" in text_of(page)


def test_an_open_page_is_left_alone_until_something_changes(player: Browser) -> None:
    player.win("open")
    page = player.get("/leaderboard").text
    poll = re.search(r'hx-get="([^"]+)"', page)
    assert poll is not None
    path = poll[1].replace("&amp;", "&")
    assert player.get(path, headers=PART).status_code == 204
    player.win("told")
    changed = player.get(path, headers=PART)
    assert changed.status_code == 200
    assert changed.text.lstrip().startswith('<div id="board"')
    assert path not in changed.text
    again = player.get(
        "/leaderboard", headers={**PART, "If-None-Match": changed.headers["ETag"]}
    )
    assert again.status_code == 304


def test_the_board_of_my_class(player: Browser, new_browser) -> None:
    player.win("open")
    code = classes.add_class(player.services, name="9b").join_code
    other = new_browser()
    other.post("/join", {"name": "Bob", "class_code": code})
    other.get("/keep")
    other.win("open")
    everybody = text_of(other.get("/leaderboard").text)
    assert "Ada" in everybody
    mine = other.get("/leaderboard?class=mine").text
    assert "Ada" not in text_of(mine)
    assert "Bob (you)" in text_of(mine)
    assert "class=mine" in mine[mine.index("hx-get") :]
