"""The first page and the button that starts a game."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kit.browser import Browser, text_of
from tests.kit.content import write_content
from webapp.domain.people import accounts, classes
from webapp.llm.scripted import ScriptedBackend
from webapp.settings import PROJECT
from webapp.views.people.nicknames import ANIMALS, MOODS


def said_at(browser: Browser, path: str) -> list[str]:
    """Return the messages of the conversation on a page."""
    found = re.findall(
        r"data-prompt-of data-own>(.*?)</p>", browser.get(path).text, re.S
    )
    return [html.unescape(text) for text in found if text]


def test_play_makes_a_player_and_says_what_was_typed(browser: Browser) -> None:
    response = browser.post("/play", {"name": "", "message": "Open up!", "waits": "1"})
    assert response.status_code == 303
    assert response.location == "/keep/open#attempt-1"
    page = browser.get("/keep/open").text
    assert said_at(browser, "/keep/open") == ["Open up!"]
    assert "Good evening, traveller." in text_of(page)
    assert re.search(r'<textarea id="message"[^>]*>\s*</textarea>', page)
    found = accounts.player_info(browser.services, browser.player_id())
    assert found is not None
    mood, animal, number = found.name.split("-")
    assert mood in MOODS
    assert animal in ANIMALS
    assert number.isdigit()


def test_play_does_not_wait_for_the_reply_where_a_script_shows_it(
    browser: Browser, backend: ScriptedBackend
) -> None:
    backend.delay = 0.3
    backend.enqueue("One two three four five six seven.")
    browser.post("/play", {"message": "Count"})
    assert 'data-running="1"' in browser.get("/keep/open").text
    events = browser.get("/keep/open/attempts/1/events").text
    assert "One two three four five six seven." in events


def test_play_without_a_word_only_opens_the_gate(browser: Browser) -> None:
    response = browser.post("/play", {"message": "  "})
    assert (response.status_code, response.location) == (303, "/keep/open")
    assert said_at(browser, "/keep/open") == []


@pytest.mark.parametrize("size", [919, 2000])
def test_a_long_first_message_is_said_whole(browser: Browser, size: int) -> None:
    text = ("🗝é " * size)[: size - 1] + "!"
    browser.post("/play", {"message": text, "waits": "1"})
    assert said_at(browser, "/keep/open") == [text]


def test_too_long_a_first_message_is_refused_and_kept(browser: Browser) -> None:
    text = "x" * 2001
    response = browser.post("/play", {"name": "Ada", "message": text})
    assert response.status_code == 400
    assert f'value="{text}"' in response.text
    assert 'value="Ada"' in response.text
    assert "2,001 characters; the limit here is 2,000" in text_of(response.text)
    assert re.search(
        r'id="message"[^>]*aria-invalid="true"|aria-invalid="true"[^>]*id="message"',
        response.text,
    )
    assert "Join or sign in" in response.text, "nobody was made"


def test_the_same_first_form_twice_says_it_once(browser: Browser) -> None:
    browser.get("/")
    fields = {"name": "Pia", "message": "Hello", "waits": "1"}
    with browser.client.session_transaction() as session:
        before = dict(session)
    browser.post("/play", fields)
    with browser.client.session_transaction() as session:
        session.clear()
        session.update(before)
    response = browser.post("/play", fields)
    assert response.status_code == 303
    assert said_at(browser, "/keep/open") == ["Hello"]


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
    response = player.post("/play", {"message": "Next!", "waits": "1"})
    assert response.location == "/keep/told#attempt-1"
    assert player.player_id() == before


def test_the_recovery_code_is_shown_until_it_is_put_away(browser: Browser) -> None:
    browser.post("/play")
    shown = re.search(r'id="recovery-code"[^>]*>([^<]+)<', browser.get("/keep").text)
    assert shown is not None
    code = shown[1]
    assert code in browser.get("/me").text
    for path in ("/keep/open", "/rules"):
        assert code not in browser.get(path).text
    browser.get("/me")
    browser.post("/me/recovery-code/kept", {"next": "/keep/open"})
    for path in ("/keep", "/me"):
        assert code not in browser.get(path).text
    assert accounts.recover(browser.services, code=code) == browser.player_id()


def test_the_first_page_knows_its_player(player: Browser) -> None:
    assert "Talk your way past eight wardens." in text_of(
        Browser(player.app).get("/").text
    )
    player.win("open")
    page = text_of(player.get("/").text)
    assert "Welcome back, Ada." in page
    assert "1 of 8 gates open so far, 100 points. Next comes The Told Gate." in page
    assert "The warden of The Told Gate" in page
    assert "Continue at gate 2" in page
    assert "What is the password?" not in player.get("/").text


def test_the_first_page_of_who_has_opened_all(player: Browser) -> None:
    for level in player.services.content.current().levels("keep"):
        player.win(level.id)
    page = player.get("/")
    assert "all eight wardens" in text_of(page.text)
    assert 'href="/keep/keep/ending"' in page.text
    assert 'name="message"' not in page.text


@pytest.mark.parametrize(
    ("gates", "words"), [(1, "one warden."), (3, "three wardens.")]
)
def test_the_first_page_counts_the_gates_there_are(
    browser: Browser, tmp_path: Path, gates: int, words: str
) -> None:
    root = write_content(tmp_path / "fewer")
    ladder = root / "game" / "keep" / "ladder.yaml"
    body = yaml.safe_load(ladder.read_text())
    for gone in body["levels"][gates:]:
        (ladder.parent / f"{gone}.yaml").unlink()
    body["levels"] = body["levels"][:gates]
    ladder.write_text(yaml.safe_dump(body))
    browser.use_content(root)
    page = browser.get("/").text
    assert f"Talk your way past {words}" in text_of(page)
    assert page.count('class="pane"') == gates


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
        browser.restart(keeps_nothing=True)
        browser.get("/")
        statuses.append(browser.post(path, {"name": f"P{number}"}).status_code)
    assert statuses == [303, 303, 429]


def test_no_nickname_that_we_make_up_is_a_password() -> None:
    lists = list((PROJECT / "challenges" / "words").glob("*.txt"))
    assert lists
    words = {word for path in lists for word in path.read_text("utf-8").split()}
    assert words.isdisjoint({*MOODS, *ANIMALS})


def test_a_class_code_on_the_first_page(browser: Browser) -> None:
    code = classes.add_class(browser.services, name="9b").join_code
    refused = browser.post("/play", {"name": "Ada", "class_code": "NOPE2345"})
    assert refused.status_code == 400
    assert re.search(r'<a href="#[\w-]*class_code">', refused.text)
    browser.post("/play", {"name": "Ada", "class_code": code.lower()})
    assert "Class 9b" in text_of(browser.get("/me").text)


@pytest.mark.parametrize("gates", [1, 3, 8, 9, 30])
def test_the_picture_has_a_window_for_each_gate(browser: Browser, gates: int) -> None:
    macros: Any = browser.app.jinja_env.get_template("_scene.html").module
    picture = macros.scene(["open"] * gates, "The keep", fresh=gates)
    places = re.findall(r"translate\(([\d.]+) ([\d.]+)\)", picture)
    assert len(set(places)) == picture.count('data-state="open"') == gates
    assert all(0 < float(x) < 1000 and 0 < float(y) < 330 for x, y in places)
    assert picture.count("pane--fresh") == 1


def test_a_first_message_that_is_refused_stays_in_the_box(player: Browser) -> None:
    player.limit(attempts_per_minute=1)
    player.post("/play", {"message": "Hello", "waits": "1"})
    response = player.post("/play", {"message": "Dear <warden>", "waits": "1"})
    assert response.status_code == 429
    assert "Dear &lt;warden&gt;</textarea>" in response.text
    assert 'data-address="/keep/open"' in response.text
    assert said_at(player, "/keep/open") == ["Hello"]
