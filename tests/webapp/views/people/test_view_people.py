"""Joining, signing in, coming back; one's own page."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes
from webapp.errors import NotSignedIn
from webapp.web.context import safe_next

PASSWORD = "correct horse"


def code_of(browser: Browser) -> str:
    """Return the recovery code that is shown until it is put away."""
    shown = re.search(r'id="recovery-code"[^>]*>([^<]+)<', browser.get("/me").text)
    assert shown is not None
    return shown[1]


def with_password(browser: Browser) -> str:
    """Set a password; return the recovery code."""
    code = code_of(browser)
    data = {"new": PASSWORD, "current": code}
    assert browser.post("/me/password", data).status_code == 303
    browser.get("/me")
    return code


def test_join_with_a_class_code(browser: Browser) -> None:
    code = classes.add_class(browser.services, name="9b").join_code
    response = browser.post("/join", {"name": "Ada", "class_code": code.lower()})
    assert (response.status_code, response.location) == (303, "/keep")
    assert "Class 9b" in text_of(browser.get("/me").text)


def wide(text: str) -> str:
    """Return a text as an East Asian keyboard may type it."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def test_codes_may_be_typed_wide(browser: Browser, new_browser) -> None:
    first = classes.add_class(browser.services, name="9b").join_code
    second = classes.add_class(browser.services, name="9c").join_code
    browser.post("/join", {"name": "Ada", "class_code": wide(first)})
    assert "Class 9b" in text_of(browser.get("/me").text)
    assert browser.post("/me/class", {"code": wide(second)}).status_code == 303
    assert "Class 9c" in text_of(browser.get("/me").text)
    code = code_of(browser)
    browser.post("/me/password", {"new": PASSWORD, "current": wide(code)})
    other = new_browser()
    signed_in = other.post(
        "/login", {"name": "Ａda", "password": PASSWORD, "class_code": wide(second)}
    )
    assert signed_in.status_code == 303
    typed = wide(code).replace("－", " — ").lower()
    assert new_browser().post("/recover", {"code": typed}).status_code == 303


@pytest.mark.parametrize("name", ["\u3164\u3164", "Mi\u200cna", "Z" + "\u0303" * 20])
def test_a_name_that_cannot_be_read_is_said_at_its_field(
    browser: Browser, name: str
) -> None:
    response = browser.post("/join", {"name": name})
    assert response.status_code == 400
    assert '<a href="#name">' in response.text


def test_an_alias_that_is_somebodys_name_is_said_at_its_field(
    browser: Browser, new_browser
) -> None:
    browser.post("/join", {"name": "codewolf"})
    other = new_browser().play("Ada")
    response = other.post("/me/alias", {"alias": "C\u043edewolf", "is_listed": "y"})
    assert response.status_code == 409
    assert '<a href="#alias-alias">Somebody in this class' in response.text


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
    code = code_of(player)
    other = new_browser()
    response = other.post("/recover", {"code": code.lower().replace("-", " ")})
    assert response.status_code == 303
    assert other.player_id() == player.player_id()
    other.get("/me")
    assert other.post("/recover", {"code": "BBBB-BBBB"}).status_code == 401


def test_a_new_recovery_code_needs_the_old_one_and_ends_all_else(
    player: Browser,
) -> None:
    old = code_of(player)
    thief = player.copy()
    player.post("/me/recovery-code/kept")
    assert 'id="recovery-code"' not in player.get("/me").text
    for proof in ("", "BBBB-BBBB-BBBB-BBBB"):
        refused = player.post("/me/recovery-code", {"current": proof})
        assert refused.status_code == 400
        assert '<a href="#code-current">This is not the recovery code.' in refused.text
    player.post("/me/recovery-code", {"current": old})
    new = code_of(player)
    assert new != old
    assert thief.get("/me").status_code == 303
    with pytest.raises(NotSignedIn):
        accounts.recover(player.services, code=old)


def test_the_cookie_does_not_tell_the_recovery_code(player: Browser) -> None:
    code = code_of(player)
    with player.client.session_transaction() as session:
        kept = json.dumps(dict(session))
    assert code not in kept
    assert accounts.recover(player.services, code=code) == player.player_id()


def test_a_gate_does_not_show_the_recovery_code(player: Browser) -> None:
    code = code_of(player)
    page = player.get("/keep/open").text
    assert code not in page
    assert 'href="/me#code"' in page


def test_sign_out(player: Browser) -> None:
    assert player.post("/logout").status_code == 303
    assert player.get("/me").status_code == 303


def test_a_copied_cookie_does_not_survive_signing_out(
    player: Browser, new_browser
) -> None:
    with_password(player)
    thief, other = player.copy(), new_browser()
    other.post("/login", {"name": "Ada", "password": PASSWORD})
    assert thief.get("/me").status_code == other.get("/me").status_code == 200
    player.post("/logout")
    assert thief.get("/me").status_code == 303
    assert other.get("/me").status_code == 200


def test_sign_out_everywhere_ends_browsers_and_tokens(
    player: Browser, new_browser
) -> None:
    with_password(player)
    token = accounts.create_token(player.services, player_id=player.player_id())
    other = new_browser()
    other.post("/login", {"name": "Ada", "password": PASSWORD})
    other.get("/me")
    assert other.post("/logout/everywhere").status_code == 303
    assert player.get("/me").status_code == other.get("/me").status_code == 303
    assert accounts.player_by_token(player.services, token) is None


def test_signing_in_as_somebody_else_ends_the_sign_in_before(
    player: Browser,
) -> None:
    before = player.copy()
    player.post("/join", {"name": "Bob"})
    assert before.get("/me").status_code == 303


@pytest.mark.parametrize("proof", ["", "BBBB-BBBB-BBBB-BBBB", "correct horse"])
def test_nobody_sets_a_first_password_at_an_open_browser(
    player: Browser, proof: str
) -> None:
    response = player.post("/me/password", {"new": PASSWORD, "current": proof})
    assert response.status_code == 400
    assert '<a href="#password-current">This is not the recovery' in response.text
    assert "Your recovery code" in response.text


def test_a_changed_password_ends_tokens_and_the_code(player: Browser) -> None:
    code = with_password(player)
    token = accounts.create_token(player.services, player_id=player.player_id())
    player.post("/me/password", {"current": PASSWORD, "new": "another one"})
    assert accounts.player_by_token(player.services, token) is None
    with pytest.raises(NotSignedIn):
        accounts.recover(player.services, code=code)
    new = code_of(player)
    assert accounts.recover(player.services, code=new) == player.player_id()


def test_the_code_undoes_a_password_that_somebody_set(
    player: Browser, new_browser
) -> None:
    code = with_password(player)
    owner = new_browser()
    short = owner.post("/recover", {"code": code, "new": "short"})
    assert short.status_code == 400
    assert '<a href="#new">' in short.text
    answer = owner.post("/recover", {"code": code, "new": "mine again"})
    assert answer.status_code == 303
    assert player.get("/me").status_code == 303
    thief = new_browser()
    for password, status in ((PASSWORD, 401), ("mine again", 303)):
        data = {"name": "Ada", "password": password}
        assert thief.post("/login", data).status_code == status


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
    shown = re.search(r'id="api-token"[^>]*>([^<]+)<', response.text)
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


def test_an_export_is_json_with_and_without_attempts(player: Browser) -> None:
    assert json.loads(player.get("/me/export.json").text)["attempts"] == []
    for message in ("One", "Two"):
        player.post("/keep/open/attempts", {"message": message})
    kept = json.loads(player.get("/me/export.json").text)["attempts"]
    assert [attempt["message"] for attempt in kept] == ["Two", "One"]
