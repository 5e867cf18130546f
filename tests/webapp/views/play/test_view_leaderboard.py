"""The leaderboard and how it keeps itself up to date."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes
from webapp.domain.play import leaderboard
from webapp.domain.play.leaderboard import TIE_BREAKS
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import Solve

PART = {"HX-Request": "true"}


def test_everybody_may_look(browser: Browser) -> None:
    page = browser.get("/leaderboard")
    assert page.status_code == 200
    assert "Nobody has opened a gate yet" in page.text
    assert TIE_BREAKS in text_of(page.text)


def test_a_win_appears_and_is_marked_as_mine(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue(f"It is {player.password('open')}.")
    player.post("/keep/open/attempts", {"message": "Hello"})
    player.win("open")
    page = player.get("/leaderboard").text
    row = re.search(r'<tr aria-current="true" id="you">.*?</tr>', page, re.DOTALL)
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


def test_a_long_board_has_pages_and_leads_to_my_row(
    player: Browser, new_browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PAGE_ROWS", 2)
    for name in ("Bob", "Eve"):
        winner = new_browser().play(name)
        winner.win("open")
        winner.win("told")
    player.win("open")
    guest = new_browser()
    top = guest.get("/leaderboard").text
    assert "3 players are on this board. This is page 1 of 2." in text_of(top)
    assert "Show my row" not in top
    assert 'href="/leaderboard?page=2"' in top
    assert 'aria-label="Pages of the standings"' in top
    mine = player.get("/leaderboard?class=mine").text
    assert "You are 3rd of 3 . Show my row" in text_of(mine)
    assert 'href="/leaderboard?class=mine&amp;page=2#you"' in mine
    second = player.get("/leaderboard?class=mine&page=2").text
    assert 'href="#you"' in second
    assert '<tr aria-current="true" id="you">' in second
    assert 'href="/leaderboard?class=mine">Higher ranks' in second
    assert "Lower ranks" not in second
    poll = re.search(r'hx-get="([^"]+)"', second)
    assert poll is not None
    path = poll[1].replace("&amp;", "&")
    assert player.get(path, headers=PART).status_code == 204
    player.win("told")
    assert "page=2" in player.get(path, headers=PART).text


def test_a_shared_rank_is_said(player: Browser, new_browser) -> None:
    new_browser().play("Bob").win("open")
    player.win("open")
    with player.services.db.write() as session:
        session.execute(update(Solve).values(solved_at=player.services.now()))
    page = player.get("/leaderboard").text
    assert "You are 1st of 2 , level with 1 other player." in text_of(page)
    assert page.count('<span aria-hidden="true">=</span>1<span') == 2


def test_a_row_says_the_time_of_today_or_the_date(player: Browser) -> None:
    player.win("open")
    time = re.compile(r'data-local-time="short">([^<]+)<')
    (shown,) = time.findall(player.get("/leaderboard").text)
    assert re.fullmatch(r"\d\d:\d\d UTC", shown)
    for moment, expected in (
        (datetime(2001, 2, 3, tzinfo=UTC), "3 Feb 2001"),
        (player.services.now().replace(month=1, day=1), "1 Jan"),
    ):
        with player.services.db.write() as session:
            session.scalars(select(Solve)).one().solved_at = moment
        assert time.findall(player.get("/leaderboard").text) == [expected]


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


def test_the_board_of_a_past_season_can_be_seen(player: Browser) -> None:
    player.win("open")
    classes.start_season(player.services, name=classes.OPEN_CLASS)
    now = player.get("/leaderboard?class=mine").text
    assert "Nobody has opened a gate yet" in now
    assert 'season=1">Season 1' in now
    past = player.get("/leaderboard?class=mine&season=1").text
    assert "Standings at the end of season 1" in past
    assert "Ada" in text_of(past)
    assert "season=1&amp;v=" in past
    for odd in ("2", "-1", "x", "9" * 30):
        page = player.get(f"/leaderboard?class=mine&season={odd}")
        assert "<h2>Standings</h2>" in page.text


def test_a_name_is_looked_for(
    player: Browser, new_browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PAGE_ROWS", 1)
    bobby = new_browser().play("Bobby Élan")
    for browser in (player, bobby):
        browser.win("open")
    bobby.win("told")
    found = bobby.get("/leaderboard?q=ADA").text
    assert 'href="/leaderboard?page=2#place-2">Ada</a>: 2nd, 100 points' in found
    assert 'id="place-2"' in bobby.get("/leaderboard?page=2").text
    mine = bobby.get("/leaderboard?class=mine&q=élan").text
    assert 'href="/leaderboard?class=mine#you">Bobby Élan</a>: 1st' in mine
    nobody = bobby.get("/leaderboard?q=<i>")
    assert "Nobody on this board has “&lt;i&gt;”" in nobody.text
    long = bobby.get("/leaderboard?q=" + "x" * 25)
    assert long.status_code == 400
    assert "at most 24 characters" in text_of(long.text)


def test_staff_choose_any_class(player: Browser, new_browser) -> None:
    player.win("open")
    info = classes.add_class(player.services, name="9b")
    bob, teacher = new_browser(), new_browser()
    bob.post("/join", {"name": "Bob", "class_code": info.join_code})
    bob.get("/keep")
    bob.win("open")
    code = accounts.create_player(
        player.services, name="Ms Gray", role="instructor"
    ).recovery_code
    teacher.post("/recover", {"code": code})
    board = teacher.get(f"/leaderboard?class={info.id}")
    assert f'<option value="{info.id}" selected>9b' in board.text
    assert f"class={info.id}" in board.text[board.text.index("hx-get") :]
    assert "Bob" in text_of(board.text)
    assert "Ada" not in text_of(board.text)
    everybody = text_of(teacher.get("/leaderboard?class=99").text)
    assert "Ada" in everybody
    # A player gets the board of all instead of one of a class that is not theirs.
    assert "Bob" in text_of(player.get(f"/leaderboard?class={info.id}").text)
    assert "<select" not in player.get("/leaderboard").text
