"""How long somebody waits whom a limit has refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes
from webapp.errors import NotSignedIn
from webapp.web.counters import counters_of

PASSED = 35.5
RIGHT = "correct horse"


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
        _forget_minutes(browser.app)
    answer = browser.post("/login", data)
    assert answer.status_code == 429
    assert "5 per hour" in text_of(answer.text)
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600


def test_who_was_let_in_is_not_told_to_wait(browser: Browser) -> None:
    answer = browser.post("/join", {"name": "Ada"})
    assert answer.status_code == 303
    assert "Retry-After" not in answer.headers


@pytest.fixture
def class_of_24(app: Flask) -> list[tuple[str, str]]:
    """Return the names and recovery codes of a class; each has a password."""
    services = app.extensions["wordkeep"]
    names = [f"Pupil {n}" for n in range(24)]
    return [
        (
            name,
            accounts.create_player(services, name=name, password=RIGHT).recovery_code,
        )
        for name in names
    ]


def test_a_class_behind_one_address_gets_in(
    app: Flask, browser: Browser, class_of_24: list[tuple[str, str]]
) -> None:
    """By password, by recovery code and by class code, all within a minute."""
    browser.limit(sign_ins_per_minute=2, sign_ups_per_hour=48)
    join = classes.add_class(browser.services, name="7b").join_code
    for name, code in class_of_24:
        forms = {
            "/login": {"name": name, "password": RIGHT},
            "/recover": {"code": code},
            "/join": {"name": f"{name} again", "class_code": join},
            "/me/class": {"code": join},
        }
        pupil = Browser(app)
        for path, form in forms.items():
            assert pupil.post(path, form).status_code == 303, (name, path)
            pupil.get("/me")
    api = app.test_client(use_cookies=False)
    for name, _ in class_of_24:
        body = {"name": f"{name} thrice", "class_code": join}
        assert api.post("/api/v1/players", json=body).status_code == 201


def test_a_refused_nickname_is_no_new_player(app: Flask, browser: Browser) -> None:
    browser.limit(sign_ups_per_hour=2)
    browser.post("/join", {"name": "Ada"})
    for _ in range(5):
        assert Browser(app).post("/join", {"name": "Ada"}).status_code == 409
    assert Browser(app).post("/join", {"name": "Bob"}).status_code == 303
    assert Browser(app).post("/join", {"name": "Eve"}).status_code == 429


def from_elsewhere(app: Flask, address: str) -> Browser:
    """Return a browser at another address."""
    browser = Browser(app)
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser


@pytest.mark.parametrize("name", ["Ms Gray", "ms  GRAY", "Ｍｓ Ｇｒａｙ"])
def test_wrong_passwords_do_not_lock_the_owner_out_elsewhere(
    app: Flask, browser: Browser, name: str
) -> None:
    accounts.create_player(browser.services, name="Ms Gray", password=RIGHT)
    browser.limit(sign_ins_per_minute=3)
    form = {"name": "Ms Gray", "password": "not the one"}
    assert [browser.post("/login", form).status_code for _ in range(3)] == [401] * 3
    variant = {"name": name, "password": RIGHT}
    assert browser.post("/login", variant).status_code == 429
    owner = from_elsewhere(app, "192.0.2.7")
    assert owner.post("/login", variant).status_code == 303


def test_a_guesser_with_many_addresses_is_slowed(app: Flask, browser: Browser) -> None:
    new = accounts.create_player(browser.services, name="Ms Gray", password=RIGHT)
    browser.limit(sign_ins_per_minute=1)
    form = {"name": "Ms Gray", "password": "not the one"}
    statuses = [
        from_elsewhere(app, f"192.0.2.{n}").post("/login", form).status_code
        for n in range(21)
    ]
    assert statuses == [401] * 20 + [429]
    owner = from_elsewhere(app, "198.51.100.1")
    assert (
        owner.post("/login", {"name": "Ms Gray", "password": RIGHT}).status_code == 429
    )
    assert owner.post("/recover", {"code": new.recovery_code}).status_code == 303


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/recover", {"code": "BBBB-BBBB-BBBB-BBBB"}),
        ("/join", {"name": "Ada", "class_code": "BBBB-BBBB"}),
    ],
)
def test_wrong_codes_are_limited_by_address(
    browser: Browser, path: str, form: dict[str, str]
) -> None:
    browser.limit(sign_ins_per_minute=1)
    statuses = [browser.post(path, form).status_code for _ in range(11)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]


def test_wrong_class_codes_over_the_api_are_limited_too(
    app: Flask, browser: Browser
) -> None:
    browser.limit(sign_ins_per_minute=1)
    api = app.test_client(use_cookies=False)
    body = {"name": "Ada", "class_code": "BBBB-BBBB"}
    answers = [api.post("/api/v1/players", json=body) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert answers[-1].get_json()["error"]["scope"] == "address/minute"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/me/password", {"new": "long enough", "current": "wrong"}),
        ("/me/recovery-code", {"current": "wrong"}),
        ("/me/class", {"code": "BBBB-BBBB"}),
    ],
)
def test_wrong_tries_on_ones_own_page_are_limited(
    player: Browser, path: str, form: dict[str, str]
) -> None:
    player.limit(sign_ins_per_minute=2)
    statuses = [player.post(path, form).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_of_many_at_the_same_moment_no_more_are_let_through(
    app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.create_player(browser.services, name="Ms Gray", password=RIGHT)
    browser.limit(sign_ins_per_minute=3)
    all_there = Barrier(3, timeout=30)

    def wait_for_others(*_: object, **__: object) -> None:
        all_there.wait()
        raise NotSignedIn("wrong", code="wrong_sign_in")

    monkeypatch.setattr(accounts, "sign_in", wait_for_others)
    browsers = [Browser(app) for _ in range(8)]
    for one in browsers:
        one.get("/login")
    form = {"name": "Ms Gray", "password": "not the one"}
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda one: one.post("/login", form).status_code, browsers)
    assert sorted(answers) == [401] * 3 + [429] * 5


def _forget_minutes(app: Flask) -> None:
    storage = counters_of(app)._memory.storage
    for key in list(getattr(storage, "storage", {})):
        if key.endswith("minute"):
            storage.clear(key)
