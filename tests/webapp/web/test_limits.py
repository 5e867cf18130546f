"""How long somebody waits whom a limit has refused."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from webapp.web.limits import limiter

PASSED = 35.5


@pytest.fixture
def let_time_pass(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes it half a minute later."""
    now = time.time
    return lambda: monkeypatch.setattr("time.time", lambda: now() + PASSED)


def test_a_page_tells_the_true_wait(
    browser: Browser, let_time_pass: Callable[[], None]
) -> None:
    browser.limit(sign_ins_per_minute=1)
    data = {"name": "Ada", "password": "not the one"}
    browser.post("/login", data)
    let_time_pass()
    answer = browser.post("/login", data)
    assert answer.status_code == 429
    wait = int(answer.headers["Retry-After"])
    assert 15 <= wait <= 61 - PASSED
    told = text_of(answer.text)
    assert f"1 per minute . Try again in {wait} seconds." in told


def test_the_api_tells_the_true_wait(
    app: Flask, browser: Browser, let_time_pass: Callable[[], None]
) -> None:
    browser.limit(sign_ups_per_hour=1)
    calls = app.test_client(use_cookies=False)
    assert calls.post("/api/v1/players", json={"name": "Ada"}).status_code == 201
    let_time_pass()
    answer = calls.post("/api/v1/players", json={"name": "Eve"})
    assert answer.status_code == 429
    wait = answer.get_json()["error"]["retry_after"]
    assert answer.headers["Retry-After"] == str(wait)
    assert 3540 <= wait <= 3601 - PASSED


def test_the_longer_of_two_limits_tells_its_own_wait(browser: Browser) -> None:
    browser.limit(sign_ins_per_minute=1)
    data = {"name": "Ada", "password": "not the one"}
    for _ in range(5):
        browser.post("/login", data)
        _forget_minutes()
    answer = browser.post("/login", data)
    assert answer.status_code == 429
    assert "5 per hour" in text_of(answer.text)
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600


def test_who_was_let_in_is_not_told_to_wait(browser: Browser) -> None:
    answer = browser.post("/join", {"name": "Ada"})
    assert answer.status_code == 303
    assert "Retry-After" not in answer.headers


def _forget_minutes() -> None:
    storage = limiter.storage
    for key in list(getattr(storage, "storage", {})):
        if key.endswith("minute"):
            storage.clear(key)
