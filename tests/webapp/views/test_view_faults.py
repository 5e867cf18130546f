"""Error pages, CSRF, limits and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import webapp
from tests.kit.browser import Browser, text_of
from webapp.errors import QuotaExceeded
from webapp.web.protection import POLICY

PAGES = [
    "/",
    "/join",
    "/login",
    "/recover",
    "/rules",
    "/leaderboard",
    "/patterns",
    "/keep",
    "/keep/open",
    "/notebook",
    "/me",
    "/nowhere",
]
TEMPLATES = Path(webapp.__file__).parent / "templates"


def page_rules(app: Flask, method: str) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and not rule.rule.startswith("/api/"):
            path = re.sub(r"<int:\w+>", "1", rule.rule)
            yield re.sub(r"<\w+>", "open", path)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_protected_and_kept_by_nobody(player: Browser, path: str) -> None:
    headers = player.get(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "HX-Request" in headers["Vary"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_a_title_and_landmarks(
    player: Browser, path: str
) -> None:
    page = player.get(path).text
    assert len(re.findall(r"<h1\b", page)) == 1
    title = re.search(r"<title>(.+?)</title>", page)
    assert title is not None
    assert title[1].endswith("Wordkeep")
    for landmark in (
        '<header class="site-header"',
        "<main",
        "<footer",
        'class="skip-link" href="#main"',
    ):
        assert page.count(landmark) == 1, landmark


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_scripts_or_styles_of_its_own(player: Browser, path: str) -> None:
    page = player.get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style\b|\sstyle=|\son\w+=", page) == []
    # A link may lead away; nothing that a page needs may come from elsewhere.
    assert re.findall(r'<(?!a\b)[^>]*\s(?:src|href)="(?:https?:)?//', page) == []


def test_every_form_that_changes_something_needs_its_token(
    app: Flask, player: Browser
) -> None:
    statuses = {
        path: player.client.post(path, data={"message": "x"}).status_code
        for path in page_rules(app, "POST")
    }
    assert len(statuses) >= 18
    assert {path: s for path, s in statuses.items() if s != 400} == {}


def test_what_was_typed_survives_a_missing_token(player: Browser) -> None:
    response = player.client.post(
        "/keep/open/attempts",
        data={"message": "Long <thought>"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert "Long &lt;thought&gt;</textarea>" in response.text
    assert 'action="/keep/open/attempts"' in response.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', response.text)
    assert token is not None
    player.token = token[1]
    again = player.post("/keep/open/attempts", {"message": "Long <thought>"})
    assert again.status_code == 303


def test_passwords_and_codes_are_not_shown_again(browser: Browser) -> None:
    data = {"name": "Ada", "password": "hunter2 hunter2", "code": "BCDF-BCDF"}
    response = browser.client.post("/login", data=data)
    assert response.status_code == 400
    assert "Ada</textarea>" in response.text
    assert "hunter2" not in response.text
    assert "BCDF" not in response.text


def test_a_part_that_fails_goes_to_the_messages(player: Browser) -> None:
    player.token = "wrong"
    response = player.swap("/keep/open/guesses", {"guess": "x"})
    assert response.status_code == 400
    assert response.headers["HX-Retarget"] == "#messages"
    assert response.text.lstrip().startswith('<div class="note note--danger"')


def test_a_missing_page_is_said_kindly(browser: Browser) -> None:
    response = browser.get("/nowhere")
    assert response.status_code == 404
    assert "There is no page at this address" in text_of(response.text)


def test_the_wrong_method_names_the_right_one(browser: Browser) -> None:
    response = browser.get("/play")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_a_body_that_is_too_large_is_refused(player: Browser, settings) -> None:
    message = "x" * (settings.request_bytes + 1)
    response = player.post("/keep/open/attempts", {"message": message})
    assert response.status_code == 413
    assert "larger than this site accepts" in text_of(response.text)
    assert len(response.data) < 20_000


def test_a_used_up_limit_names_its_scope(app: Flask, browser: Browser) -> None:
    @app.get("/raise-quota")
    def raise_quota() -> str:
        raise QuotaExceeded("All used.", scope="class/day", retry_after=9)

    response = browser.get("/raise-quota")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "9"
    assert "This limit has been reached: class/day" in text_of(response.text)


def test_our_own_mistake_has_a_number_and_no_details(
    app: Flask, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/raise-bug")
    def raise_bug() -> str:
        raise RuntimeError("inner detail")

    response = browser.get("/raise-bug")
    assert response.status_code == 500
    assert "inner detail" not in response.text
    number = re.search(r'code-word">([0-9a-f]{8})<', response.text)
    assert number is not None
    assert number[1] in caplog.text


def test_sign_in_is_limited(browser: Browser) -> None:
    browser.limit(sign_ins_per_minute=2)
    data = {"name": "Ada", "password": "not the one"}
    statuses = [browser.post("/login", data).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    response = browser.post("/login", data)
    assert "Too many sign-ins" in response.text
    assert int(response.headers["Retry-After"]) > 0


def test_no_template_turns_off_escaping() -> None:
    texts = {path: path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")}
    found = [
        path.name
        for path, text in texts.items()
        if re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\b", text)
    ]
    assert found == []


def test_every_post_form_carries_a_token() -> None:
    form = re.compile(r'<form\b[^>]*method="post".*?</form>', re.DOTALL)
    forms = [
        (path.name, text)
        for path in TEMPLATES.rglob("*.html")
        for text in form.findall(path.read_text("utf-8"))
    ]
    assert len(forms) >= 18
    bare = [name for name, text in forms if not re.search(r"token\(\)|seal\(\)", text)]
    assert bare == []
