"""The first page and the button that starts a game."""

from __future__ import annotations

import re

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts
from webapp.settings import PROJECT
from webapp.views.people.nicknames import ANIMALS, MOODS


def test_play_makes_a_player_and_goes_to_the_first_gate(browser: Browser) -> None:
    response = browser.post("/play", {"name": "", "message": "Open up!"})
    assert (response.status_code, response.location) == (303, "/keep/open")
    page = browser.get("/keep/open")
    assert re.search(r'<textarea id="message"[^>]*>\s*Open up!</textarea>', page.text)
    found = accounts.player_info(browser.services, browser.player_id())
    assert found is not None
    mood, animal, number = found.name.split("-")
    assert mood in MOODS
    assert animal in ANIMALS
    assert number.isdigit()


def test_the_first_message_is_filled_in_once(browser: Browser) -> None:
    browser.post("/play", {"message": "Open up!"})
    browser.get("/keep/open")
    assert "Open up!" not in browser.get("/keep/open").text


def test_a_chosen_nickname_is_used(browser: Browser) -> None:
    browser.post("/play", {"name": "  Grace   Hopper "})
    assert "Grace Hopper" in text_of(browser.get("/keep").text)


def test_a_taken_nickname_is_refused_and_everything_typed_stays(
    browser: Browser, player: Browser, new_browser
) -> None:
    other = new_browser()
    response = other.post("/play", {"name": "ADA", "message": "Hey <you>"})
    assert response.status_code == 409
    assert 'value="ADA"' in response.text
    assert 'value="Hey &lt;you&gt;"' in response.text
    assert 'aria-invalid="true"' in response.text
    assert "already called &#34;ADA&#34;" in response.text


def test_play_again_keeps_the_player_and_goes_on(player: Browser) -> None:
    before = player.player_id()
    player.win("open")
    response = player.post("/play", {"message": "Next!"})
    assert response.location == "/keep/told"
    assert player.player_id() == before


def test_the_recovery_code_is_shown_until_it_is_put_away(browser: Browser) -> None:
    browser.post("/play")
    shown = re.search(r'id="recovery-code">([^<]+)<', browser.get("/keep/open").text)
    assert shown is not None
    code = shown[1]
    assert code in browser.get("/keep").text
    assert code in browser.get("/me").text
    assert code not in browser.get("/rules").text
    browser.post("/me/recovery-code/kept", {"next": "/keep/open"})
    assert code not in browser.get("/keep/open").text
    assert accounts.recover(browser.services, code=code) == browser.player_id()


def test_the_first_page_shows_no_locked_gate_as_open(browser: Browser) -> None:
    page = browser.get("/").text
    states = re.findall(r'class="pane" data-state="(\w+)"', page)
    assert states == ["open", *["locked"] * 7]


@pytest.mark.parametrize(
    ("name", "value", "mark"),
    [
        ("theme", "dark", '<html lang="en" data-theme="dark">'),
        ("theme", "light", '<html lang="en" data-theme="light">'),
        ("theme", "hotpink", '<html lang="en" data-theme="auto">'),
    ],
)
def test_a_theme_is_kept_in_a_cookie(
    browser: Browser, name: str, value: str, mark: str
) -> None:
    response = browser.post("/preferences", {name: value, "next": "/rules"})
    assert (response.status_code, response.location) == (303, "/rules")
    assert mark in browser.get("/rules").text


def test_replies_can_come_all_at_once(player: Browser) -> None:
    assert 'data-stream="on"' in player.get("/keep/open").text
    player.post("/preferences", {"stream": "off"})
    assert 'data-stream="off"' in player.get("/keep/open").text


def test_one_address_cannot_make_players_without_end(browser: Browser) -> None:
    browser.limit(sign_ups_per_hour=2)
    statuses = []
    for number, path in enumerate(("/play", "/join", "/play")):
        browser.client.delete_cookie(browser.app.config["SESSION_COOKIE_NAME"])
        browser.get("/")
        statuses.append(browser.post(path, {"name": f"P{number}"}).status_code)
    assert statuses == [303, 303, 429]


def test_no_nickname_that_we_make_up_is_a_password() -> None:
    lists = list((PROJECT / "challenges" / "words").glob("*.txt"))
    assert lists
    words = {word for path in lists for word in path.read_text("utf-8").split()}
    assert words.isdisjoint({*MOODS, *ANIMALS})
