"""Joining, signing in, coming back; one's own page."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes
from webapp.web.context import safe_next

PASSWORD = "correct horse"


def with_password(browser: Browser) -> None:
    response = browser.post("/me/password", {"new": PASSWORD})
    assert response.status_code == 303
    browser.get("/me")


def test_join_with_a_class_code(browser: Browser) -> None:
    code = classes.add_class(browser.services, name="9b").join_code
    response = browser.post("/join", {"name": "Ada", "class_code": code.lower()})
    assert (response.status_code, response.location) == (303, "/keep")
    assert "Class 9b" in text_of(browser.get("/me").text)


def test_a_wrong_class_code_is_said_at_its_field(browser: Browser) -> None:
    response = browser.post("/join", {"name": "Ada", "class_code": "XXXX-XXXX"})
    assert response.status_code == 400
    assert '<a href="#class_code">No class has this join code' in response.text
    assert "<title>Error: Join" in response.text
    assert 'value="Ada"' in response.text


def test_a_taken_name_is_said_at_its_field(browser: Browser, new_browser) -> None:
    browser.post("/join", {"name": "codewolf"})
    response = new_browser().post("/join", {"name": "codewolf"})
    assert '<a href="#name">' in response.text


def test_pages_of_players_ask_who_is_there_and_come_back(browser: Browser) -> None:
    response = browser.get("/notebook?q=tea")
    assert response.status_code == 303
    assert response.location == "/join?next=/notebook?q%3Dtea"
    browser.get(response.location)
    joined = browser.post("/join", {"name": "Ada", "next": "/notebook?q=tea"})
    assert joined.location == "/notebook?q=tea"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/keep/open", "/keep/open"),
        ("/notebook?q=a&level=b", "/notebook?q=a&level=b"),
        ("//evil.example/", "/keep"),
        ("/\\evil.example", "/keep"),
        ("/\tevil", "/keep"),
        ("https://evil.example/", "/keep"),
        ("javascript:alert(1)", "/keep"),
        ("evil.example", "/keep"),
        ("/" + "a" * 500, "/keep"),
        ("", "/keep"),
        (None, "/keep"),
    ],
)
def test_only_paths_of_this_site_are_gone_to(target: str | None, expected: str) -> None:
    assert safe_next(target, "/keep") == expected


def test_sign_in_with_a_password(player: Browser, new_browser) -> None:
    with_password(player)
    other = new_browser()
    response = other.post("/login", {"name": "ada", "password": PASSWORD})
    assert response.status_code == 303
    assert other.player_id() == player.player_id()


def test_a_wrong_password_says_nothing_about_the_name(
    player: Browser, new_browser
) -> None:
    with_password(player)
    other = new_browser()
    known = other.post("/login", {"name": "Ada", "password": "wrong wrong"})
    unknown = other.post("/login", {"name": "Bob", "password": "wrong wrong"})
    assert known.status_code == unknown.status_code == 401
    assert accounts.WRONG_SIGN_IN in known.text
    assert accounts.WRONG_SIGN_IN in unknown.text
    assert "wrong wrong" not in known.text


def test_a_new_password_signs_out_all_other_browsers(
    player: Browser, new_browser
) -> None:
    with_password(player)
    other = new_browser()
    other.post("/login", {"name": "Ada", "password": PASSWORD})
    other.get("/me")
    changed = other.post("/me/password", {"current": PASSWORD, "new": "another one"})
    assert changed.status_code == 303
    assert other.get("/me").status_code == 200
    assert player.get("/me").status_code == 303


def test_a_wrong_present_password_changes_nothing(player: Browser) -> None:
    with_password(player)
    response = player.post("/me/password", {"current": "no", "new": "another one"})
    assert response.status_code == 400
    assert '<a href="#password-current">' in response.text


def test_come_back_with_the_recovery_code(player: Browser, new_browser) -> None:
    code = accounts.rotate_recovery_code(player.services, player_id=player.player_id())
    other = new_browser()
    response = other.post("/recover", {"code": code.lower().replace("-", " ")})
    assert response.status_code == 303
    assert other.player_id() == player.player_id()
    other.get("/me")
    assert other.post("/recover", {"code": "BBBB-BBBB"}).status_code == 401


def test_a_new_recovery_code_is_shown(player: Browser) -> None:
    player.post("/me/recovery-code/kept")
    assert 'id="recovery-code"' not in player.get("/me").text
    player.post("/me/recovery-code")
    assert 'id="recovery-code"' in player.get("/me").text


def test_sign_out(player: Browser) -> None:
    assert player.post("/logout").status_code == 303
    assert player.get("/me").status_code == 303


def test_the_alias_and_the_place_on_the_board(player: Browser) -> None:
    player.win("open")
    player.get("/me")
    player.post("/me/alias", {"alias": "Countess", "is_listed": "y"})
    assert "Countess" in player.get("/leaderboard").text
    player.post("/me/alias", {"alias": "Countess"})
    assert "Countess" not in player.get("/leaderboard").text


def test_a_bad_alias_is_said_at_its_field(player: Browser) -> None:
    response = player.post("/me/alias", {"alias": "x"})
    assert response.status_code == 400
    assert '<a href="#alias-alias">' in response.text
    assert 'value="x"' in response.text


def test_an_api_token_is_shown_once_and_works(player: Browser) -> None:
    response = player.post("/me/token")
    shown = re.search(r'id="api-token">([^<]+)<', response.text)
    assert shown is not None
    found = accounts.player_by_token(player.services, shown[1])
    assert found is not None
    assert found.name == "Ada"
    assert shown[1] not in player.get("/me").text


def test_export_holds_what_is_kept(player: Browser) -> None:
    player.post("/keep/open/attempts", {"message": "What is it?"})
    player.post("/keep/open/guesses", {"guess": "nonsense"})
    response = player.get("/me/export.json")
    kept: dict[str, Any] = json.loads(response.text)
    assert kept["name"] == "Ada"
    assert [a["message"] for a in kept["attempts"]] == ["What is it?"]
    assert [g["guess"] for g in kept["guesses"]] == ["nonsense"]
    assert "attachment" in response.headers["Content-Disposition"]


def test_delete_needs_the_tick(player: Browser) -> None:
    refused = player.post("/me/delete")
    assert refused.status_code == 400
    assert "Tick the box first" in refused.text
    number = player.player_id()
    assert player.post("/me/delete", {"is_sure": "y"}).status_code == 303
    assert accounts.player_info(player.services, number) is None
    assert player.get("/me").status_code == 303
