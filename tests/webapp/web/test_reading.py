"""What cannot be read is taken as not sent, and nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse, create_environ

from tests.kit.browser import Browser
from webapp.web.reading import SiteRequest, parts_of

# Square brackets belong to addresses of IPv6, and to nothing else.
UNREADABLE = ("http://[", "http://[x]", "//[", "http://a:99999", "http://[1:2:3]")
HOSTS = (".", "..", "a..b", "x" * 64, "[", "[::1", "a:99999", "")


def send_parts(browser: Browser, path: str, *parts: tuple[str, str]) -> Any:
    """Send a multipart form: pairs of what a part says of itself, and its text."""
    body = "".join(
        f"--B\r\nContent-Disposition: form-data{about}\r\n\r\n{text}\r\n"
        for about, text in parts
    )
    return browser.client.post(
        path, data=f"{body}--B--\r\n", content_type="multipart/form-data; boundary=B"
    )


@pytest.mark.parametrize("address", UNREADABLE)
def test_an_address_that_cannot_be_read_is_all_path(address: str) -> None:
    parts = parts_of(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", address)


def test_other_addresses_are_taken_apart() -> None:
    parts = parts_of("https://[::1]:8443/keep?x=1")
    assert (parts.scheme, parts.hostname, parts.port) == ("https", "::1", 8443)


@pytest.mark.parametrize("target", ["//[x", "//[", "//a:99999", "/keep\\[", "http://["])
def test_a_page_to_go_to_that_cannot_be_read_is_passed_over(
    browser: Browser, target: str
) -> None:
    assert browser.get("/join", query_string={"next": target}).status_code == 200
    answer = browser.post("/join", {"name": "Ada", "next": target})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/keep")


@pytest.mark.parametrize("header", ["Origin", "Referer"])
@pytest.mark.parametrize("address", UNREADABLE)
def test_a_form_from_a_page_that_cannot_be_read_is_anothers(
    player: Browser, header: str, address: str
) -> None:
    answer = player.post("/me/alias", {"alias": "X"}, headers={header: address})
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    # Its token was right, so its sender is told what the site was sent.
    assert f"“{address}”" in answer.text


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/", "/api", "/health", "/api/v1/openapi.json"])
def test_a_name_that_cannot_be_one_breaks_no_page(
    player: Browser, host: str, path: str
) -> None:
    # Past the test client, which would break on the name itself.
    asked = {"HTTP_HOST": host, "HTTP_ORIGIN": f"http://{host}"}
    answer: TestResponse = player.client.get(path, environ_overrides=asked)
    assert answer.status_code == 200
    answer = player.post("/me/alias", {"alias": "Rook"}, environ_overrides=asked)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("prefix", "root"),
    [
        ("", ""),
        ("/", ""),
        ("/keep", "/keep"),
        ("/keep/", "/keep"),
        ("/a/b", "/a/b"),
        ("keep", ""),
        ("//evil.example", ""),
        ("http://[", ""),
        ("/?x", ""),
        ("javascript:", ""),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https", "gopher"])
def test_what_a_proxy_passes_on_breaks_no_link(
    browser: Browser, prefix: str, root: str, scheme: str
) -> None:
    passed_on = {"SCRIPT_NAME": prefix, "wsgi.url_scheme": scheme}
    client = browser.app.test_client(use_cookies=False)
    site = f"{'https' if scheme == 'https' else 'http'}://localhost{root}"
    page = client.get("/api", environ_overrides=passed_on)
    assert page.status_code == 200
    assert f"SITE={site}" in page.text
    answer = client.get("/keep", environ_overrides=passed_on)
    assert answer.headers["Location"].partition("?")[0] == f"{root}/join"


@pytest.mark.parametrize("scheme", ["//[", "http://[", "", "ws"])
def test_a_scheme_that_is_none_is_plain_http(scheme: str) -> None:
    request = SiteRequest(create_environ() | {"wsgi.url_scheme": scheme})
    assert request.url_root == "http://localhost/"


@pytest.mark.parametrize(
    "given", ["Basic \xff\xff", "Basic =", "Bearer \xff", "Digest \xff", "\xff"]
)
def test_an_authorization_that_cannot_be_read_is_none(
    browser: Browser, given: str
) -> None:
    answer = browser.client.get("/api/v1/levels", headers={"Authorization": given})
    assert answer.status_code == 401


@pytest.mark.parametrize("about", ["", "; filename=x", '; name=""'])
@pytest.mark.parametrize("path", ["/join", "/login", "/me/alias", "/preferences"])
def test_a_part_of_a_form_without_a_name_is_passed_over(
    player: Browser, about: str, path: str
) -> None:
    answer = send_parts(player, path, (about, "unnamed"), ("; name=alias", "Countess"))
    assert answer.status_code == 400
    assert "Countess" in answer.text
    assert "unnamed" not in answer.text


def test_the_other_parts_count(player: Browser) -> None:
    parts = (("", "x"), ("; name=csrf_token", player.token), ("; name=alias", "Rook"))
    assert send_parts(player, "/me/alias", *parts).status_code == 303


def test_joining_with_a_part_without_a_name(browser: Browser) -> None:
    browser.get("/join")
    parts = (("", "x"), ("; name=csrf_token", browser.token), ("; name=name", "Ada"))
    assert send_parts(browser, "/join", *parts).status_code == 303
