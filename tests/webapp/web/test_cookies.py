"""Answers that arrive late: they undo nothing that another one has brought."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.sessions import SecureCookieSessionInterface

from tests.kit.browser import Browser, text_of
from webapp.domain.people import access
from webapp.web import cookies

PASSWORD = "correct horse battery"
SAVED = "Saved. The leaderboard shows it at once."
SIGNED_OUT = "You have been signed out in this browser"
REFRESH = {"HX-Request": "true"}


def name_of(browser: Browser) -> str | None:
    """Return the name of whoever this browser is signed in as, if it is."""
    page = browser.get("/rules").text
    found = re.search(r'site-header__me">\s*<a href="/me">([^<]+)</a>', page)
    return found[1] if found else None


def code_of(browser: Browser) -> str:
    """Return the recovery code that is shown until it is put away."""
    shown = re.search(r'id="recovery-code"[^>]*>([^<]+)<', browser.get("/me").text)
    assert shown is not None
    return shown[1]


def who_cookies(browser: Browser) -> list[str]:
    """Return the names of the cookies that say who this is."""
    base = browser.app.config["SESSION_COOKIE_NAME"]
    rests = [name.removeprefix(base) for name in browser.cookies()]
    return [rest for rest in rests if not rest.startswith("-")]


@pytest.fixture
def old(player: Browser) -> Browser:
    """Return a browser with the cookie of the time when one had the whole session."""
    key = access.begin(player.services, player_id=player.player_id())
    content = {
        "_user_id": f"{player.player_id()}.{key}",
        "_fresh": True,
        "_id": "an address and a browser",
        "_permanent": True,
        "csrf_token": "a" * 40,
        "_flashes": [("success", "Saved before.")],
        "tokenizers": ["one"],
    }
    signer = SecureCookieSessionInterface().get_signing_serializer(player.app)
    assert signer is not None
    browser = Browser(player.app)
    name = player.app.config["SESSION_COOKIE_NAME"]
    browser.client.set_cookie(name, str(signer.dumps(content)))
    return browser


@pytest.mark.parametrize("path", ["/keep", "/static/js/main.js", "/keep/open"])
def test_a_message_is_shown_once_whatever_comes_late(
    player: Browser, path: str
) -> None:
    arrive = player.send_late(path)
    player.post("/me/alias", {"alias": "Countess"})
    arrive()
    assert SAVED in text_of(player.get("/me").text)
    assert SAVED not in text_of(player.get("/me").text)


def test_the_messages_of_two_forms_are_both_shown(player: Browser) -> None:
    arrive = player.send_late("/me/alias", {"alias": "Countess"})
    player.post("/preferences", {"theme": "dark"})
    player.post("/me/alias", {"alias": "Duchess"})
    arrive()
    assert text_of(player.get("/me").text).count(SAVED) == 2


def test_a_page_that_shows_no_message_leaves_it_for_the_next(player: Browser) -> None:
    player.post("/me/alias", {"alias": "Countess"})
    player.get("/keep/open", headers=REFRESH)
    player.get("/me/export.json")
    assert SAVED in text_of(player.get("/me").text)


def test_what_was_opened_before_does_not_end_a_sign_in(browser: Browser) -> None:
    arrive = browser.send_late("/")
    browser.get("/join")
    browser.post("/join", {"name": "Ada"})
    arrive()
    assert name_of(browser) == "Ada"
    assert len(who_cookies(browser)) == 1


def test_a_guest_does_not_take_the_place_of_who_signs_in(browser: Browser) -> None:
    browser.get("/join")
    arrive = browser.send_late("/lab/playground/instructions", {"instructions": ""})
    browser.post("/join", {"name": "Bob"})
    arrive()
    assert name_of(browser) == "Bob"
    assert len(who_cookies(browser)) == 1


def test_a_guest_is_signed_in_where_nobody_else_is(browser: Browser) -> None:
    page = browser.send_late("/lab/playground")
    browser.get("/lab/playground")
    browser.post("/lab/playground/instructions", {"instructions": ""})
    page()
    guest = name_of(browser)
    assert guest is not None
    # The forms of that page still hold.
    fields = {"instructions": "Be brief."}
    assert browser.post("/lab/playground/instructions", fields).status_code == 200
    assert name_of(browser) == guest


def test_a_page_that_was_opened_before_does_not_undo_signing_out(
    player: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cookies, "RENEWED_AFTER", timedelta(0))
    arrive = player.send_late("/keep")
    player.post("/logout")
    arrive()
    assert "You are signed out." in text_of(player.get("/").text)
    assert name_of(player) is None
    assert SIGNED_OUT not in text_of(player.get("/").text)


def test_a_new_password_does_not_undo_signing_out(player: Browser) -> None:
    data = {"new": PASSWORD, "current": code_of(player)}
    arrive = player.send_late("/me/password", data)
    player.post("/logout")
    arrive()
    # Whoever opens this browser next is nobody, too.
    player.restart()
    assert name_of(player) is None


@pytest.mark.parametrize("is_first", [True, False])
def test_a_new_key_that_is_under_way_is_not_taken_for_a_sign_out(
    player: Browser, is_first: bool
) -> None:
    data = {"new": PASSWORD, "current": code_of(player)}
    changed = player.send_late("/me/password", data)
    page = player.send_late("/keep/open")
    for arrive in (changed, page) if is_first else (page, changed):
        arrive()
    assert name_of(player) == "Ada"


def test_a_guest_of_an_ended_sign_in_gives_way_to_the_new_key(player: Browser) -> None:
    data = {"new": PASSWORD, "current": code_of(player)}
    changed = player.send_late("/me/password", data)
    guest = player.send_late("/lab/playground/instructions", {"instructions": ""})
    changed()
    guest()
    assert name_of(player) == "Ada"


def test_a_form_is_not_too_old_because_of_what_came_late(player: Browser) -> None:
    check = player.send_late("/me/alias", {"alias": "Countess"})
    page = player.send_late("/keep")
    player.post("/logout")
    player.get("/join")
    check()
    page()
    assert player.post("/join", {"name": "Bob"}).status_code == 303
    assert name_of(player) == "Bob"


@pytest.mark.parametrize("path", ["/join", "/logout"])
def test_pages_that_are_opened_at_once_afterwards_have_one_seal(
    player: Browser, path: str
) -> None:
    player.post(path, {"name": "Bob"})
    first, second = player.copy(), player.copy()
    first.get("/rules")
    second.get("/lab/playground")
    # Both forms, wherever the cookies came from.
    for page in (first, second):
        player.token = page.token
        assert player.post("/preferences", {"theme": "dark"}).status_code == 303


def test_signing_in_and_out_changes_name_seal_and_key(player: Browser) -> None:
    seen = [player.copy()]
    for path, form in (("/logout", {}), ("/join", {"name": "Bob"}), ("/logout", {})):
        player.post(path, form)
        player.get("/rules")
        seen.append(player.copy())
    assert len({browser.token for browser in seen}) == len(seen)
    assert len({tuple(who_cookies(browser)) for browser in seen}) == len(seen)
    assert [name_of(browser) for browser in seen] == [None] * len(seen)


def test_who_has_a_cookie_of_before_stays_signed_in(old: Browser) -> None:
    page = old.get("/me")
    assert "Saved before." in text_of(page.text)
    assert "Saved before." not in text_of(old.get("/me").text)
    assert old.post("/me/alias", {"alias": "Countess"}).status_code == 303
    assert name_of(old) == "Ada"
    with old.client.session_transaction() as session:
        assert (session["tokenizers"], session["csrf_token"]) == (["one"], "a" * 40)
    old.restart()
    assert name_of(old) == "Ada"
    old.post("/logout")
    assert name_of(old) is None


def test_a_sign_in_lives_for_as_long_as_somebody_comes(
    player: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = who_cookies(player)
    assert "Set-Cookie" not in player.get("/keep").headers
    monkeypatch.setattr(cookies, "RENEWED_AFTER", timedelta(0))
    paths = ("/static/js/main.js", "/api/v1/levels", "/me/export.json")
    for path in paths:
        with player.get(path) as answer:
            assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" not in player.get("/keep", headers=REFRESH).headers
    (again,) = player.get("/keep").headers.getlist("Set-Cookie")
    assert "Expires=" in again
    assert who_cookies(player) == [before]


def test_what_features_keep_is_apart(player: Browser) -> None:
    weather = player.send_late("/lab/tools/weather?city=Rome")
    player.post("/me/alias", {"alias": "Countess"})
    weather()
    (before,) = who_cookies(player)
    assert SAVED in text_of(player.get("/me").text)
    with player.client.session_transaction() as session:
        assert session["lab_weather"][0] == 1
    assert who_cookies(player) == [before]
    player.post("/logout")
    assert [name for name in player.cookies() if name.endswith("weather")] == []


def test_a_strangers_cookie_is_nothing_and_is_removed(player: Browser) -> None:
    base = player.app.config["SESSION_COOKIE_NAME"]
    kept = player.cookies()
    other = Browser(player.app)
    other.post("/logout")
    text = next(v for name, v in other.cookies().items() if "messages" in name)
    for name in (f"{base}.99999999999999", f"{base}-other.tokenizers", f"{base}.x"):
        player.client.set_cookie(name, text)
    assert name_of(player) == "Ada"
    assert player.cookies() == kept


def test_a_part_that_is_fetched_again_brings_no_cookie(
    new_browser: Callable[[], Browser],
) -> None:
    for headers, has_cookie in ((REFRESH, False), ({}, True)):
        answer = new_browser().get("/join", headers=headers)
        assert answer.status_code == 200
        assert ("Set-Cookie" in answer.headers) is has_cookie
