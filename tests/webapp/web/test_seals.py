"""Forms of other sites, forms that are too old, and forms behind a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts

HERE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
FOREIGN = [
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="another site"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, id="another port"),
    pytest.param({"Sec-Fetch-Site": "nonsense"}, id="unknown word"),
    pytest.param(
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        id="another site with our origin",
    ),
    pytest.param({"Origin": "http://evil.example"}, id="foreign origin"),
    pytest.param({"Origin": "http://localhost:8080"}, id="origin with another port"),
    pytest.param({"Origin": "http://localhost:port"}, id="origin with no port"),
    pytest.param({"Origin": "null"}, id="hidden origin"),
    pytest.param({"Referer": "http://evil.example/trap"}, id="foreign referer"),
]
PATHS = ["/me/delete", "/logout", "/nowhere", "/rules"]


@pytest.fixture
def kept(player: Browser) -> dict[str, str]:
    """Return the cookies of a player, who is signed in."""
    return player.cookies()


def send(browser: Browser, path: str, headers: dict[str, str], **fields: str) -> Any:
    """Send a form without the token of the page."""
    return browser.client.post(path, data=fields, headers=headers)


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.client.get("/me").status_code == 200)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("has_cookie", [True, False])
def test_another_sites_form_gets_a_bare_answer(
    player: Browser, path: str, headers: dict[str, str], has_cookie: bool
) -> None:
    sender = player if has_cookie else Browser(player.app)
    answer = send(sender, path, headers, is_sure="y", name="<b>Mallory</b>")
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert "Set-Cookie" not in answer.headers
    assert "<" not in answer.text
    assert "another site" in answer.text
    assert "Mallory" not in answer.text
    assert is_signed_in(player)


def test_a_body_of_another_site_is_not_looked_at(player: Browser, settings) -> None:
    text = "x" * (settings.request_bytes + 1)
    answer = send(player, "/me/delete", {"Origin": "http://evil.example"}, message=text)
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert "Set-Cookie" not in answer.headers


def test_the_token_of_a_page_does_not_help_another_site(player: Browser) -> None:
    headers = {"Sec-Fetch-Site": "same-site"}
    data = {"csrf_token": player.token, "is_sure": "y"}
    answer = player.client.post("/me/delete", data=data, headers=headers)
    assert answer.status_code == 403
    assert is_signed_in(player)


@pytest.mark.parametrize(
    "headers",
    [
        HERE,
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost:80"},
        {"Referer": "http://localhost/me"},
        {},
    ],
)
def test_a_page_of_this_site_is_let_through(
    player: Browser, headers: dict[str, str]
) -> None:
    answer = player.post("/me/alias", {"alias": "Countess"}, headers=headers)
    assert answer.status_code == 303
    assert "Countess" in player.get("/me").text


@pytest.mark.parametrize("headers", [HERE, {"Origin": "http://localhost"}])
def test_sending_again_is_offered_to_our_own_pages(
    player: Browser, headers: dict[str, str]
) -> None:
    answer = send(player, "/me/alias", headers, alias="Long <thought>")
    assert answer.status_code == 400
    assert 'action="/me/alias"' in answer.text
    assert "Send it again" in answer.text
    assert "Long &lt;thought&gt;</textarea>" in answer.text


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "none"}])
@pytest.mark.parametrize("path", ["/me/delete", "/nowhere", "/rules"])
@pytest.mark.parametrize("has_cookie", [True, False])
def test_who_does_not_say_where_a_form_came_from(
    player: Browser,
    kept: dict[str, str],
    path: str,
    headers: dict[str, str],
    has_cookie: bool,
) -> None:
    sender = player if has_cookie else Browser(player.app)
    answer = send(sender, path, headers, is_sure="y", message="My <text>")
    assert answer.status_code in {400, 404, 405}
    assert f'action="{path}"' not in answer.text
    assert "Send it again" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert player.cookies() == kept
    assert is_signed_in(player)


@pytest.mark.parametrize("headers", [{}, HERE])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/keep/open/nowhere", 404),
        ("/api/v2/levels", 404),
        ("/rules", 405),
        ("/me", 405),
        ("/api", 405),
        ("/health", 405),
        ("/static/js/main.js", 405),
    ],
)
def test_a_wrong_address_or_method_is_called_that(
    player: Browser, method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    answer = player.client.open(path, method=method, data={"a": "b"}, headers=headers)
    assert answer.status_code == status
    assert "csrf" not in answer.text.replace("csrf_token", "")
    if status == 405:
        assert "GET" in answer.headers["Allow"]


def refusal(answer: Any) -> str:
    assert answer.status_code == 400
    return text_of(answer.text)


def test_a_form_without_a_cookie_is_told_so(browser: Browser) -> None:
    browser.get("/join")
    browser.restart(keeps_nothing=True)
    told = refusal(browser.post("/join", {"name": "Ada"}, headers=HERE))
    assert "No cookie came with this form. Allow this site to set cookies" in told


def test_cookies_for_https_only_are_told_so(browser: Browser) -> None:
    browser.limit(secure_cookies=True)
    assert "https://" in refusal(send(browser, "/join", HERE, name="Ada"))
    behind = {"Sec-Fetch-Site": "same-origin", "Origin": "https://localhost"}
    told = refusal(send(Browser(browser.app), "/join", behind, name="Ada"))
    assert "Allow this site to set cookies" in told


def test_a_page_that_is_too_old_is_told_so(player: Browser) -> None:
    old = player.token
    player.post("/logout")
    player.get("/")
    player.token = old
    told = refusal(player.post("/join", {"name": "Eve"}, headers=HERE))
    assert "This page is too old" in told
    assert "signed in or out in another tab" in told


def test_a_form_without_its_token_is_told_so(player: Browser) -> None:
    told = refusal(send(player, "/me/alias", HERE, alias="Countess"))
    assert "without its hidden field “csrf_token”" in told


@pytest.mark.parametrize(
    "headers",
    [
        # The proxy ends TLS and says nothing of it.
        {"Origin": "https://localhost"},
        {"Origin": "https://localhost", "Referer": "https://elsewhere.example/"},
        # The proxy asks for another host; the browser has compared its own.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://school.example"},
    ],
)
def test_behind_a_proxy_a_form_works_where_token_and_origin_fit(
    player: Browser, headers: dict[str, str]
) -> None:
    answer = player.post("/me/alias", {"alias": "Countess"}, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize("headers", [{}, {"Referer": "https://school.example/me"}])
def test_over_tls_no_referer_is_needed(
    player: Browser, headers: dict[str, str]
) -> None:
    more = {"base_url": "https://school.example", "headers": headers}
    token = player.client.get("/me", **more)
    player.get("/join", base_url="https://school.example")
    assert token.status_code == 303
    answer = player.post("/join", {"name": "Grace"}, **more)
    assert answer.status_code == 303


def test_over_tls_a_page_over_plain_http_is_another_site(player: Browser) -> None:
    player.get("/join", base_url="https://school.example")
    answer = player.post(
        "/join",
        {"name": "Grace"},
        base_url="https://school.example",
        headers={"Origin": "http://school.example"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"Origin": "http://school.example"}, "“http://school.example”"),
        ({"Referer": "http://school.example/me?q=x"}, "“http://school.example”"),
        ({"Origin": "null"}, "“null”"),
    ],
)
def test_a_host_that_a_proxy_has_changed_is_named(
    player: Browser, headers: dict[str, str], shown: str
) -> None:
    answer = player.post("/me/alias", {"alias": "Countess"}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert f"sent from {shown}, and this site was asked for as “localhost”" in (
        answer.text
    )
    assert "WORDKEEP_TRUSTED_PROXIES" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_scripts_of_the_page_are_told_in_their_own_way(player: Browser) -> None:
    foreign = {"Origin": "http://<b>school.example"}
    part = player.post(
        "/keep/open/guesses",
        {"guess": "x"},
        headers={**foreign, "HX-Request": "true"},
    )
    assert part.status_code == 403
    assert part.headers["HX-Retarget"] == "#messages"
    assert "<b>school" not in part.text
    assert "<form" not in part.text
    stream = player.post(
        "/keep/open/attempts",
        {"message": "x"},
        headers={**foreign, "Accept": "text/event-stream"},
    )
    assert stream.status_code == 403
    assert stream.get_json()["error"]["code"] == "other_site"


def test_the_api_does_not_ask_where_a_call_came_from(player: Browser) -> None:
    answer = player.client.post(
        "/api/v1/players",
        json={"name": "Robot"},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://notebook.example"},
    )
    assert answer.status_code == 201
    assert accounts.player_by_token(player.services, answer.get_json()["token"])
