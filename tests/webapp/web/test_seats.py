"""What waits for a model has a seat, and is told at once if there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from tests.kit.caller import Caller
from tests.kit.sites import eventually
from webapp.app import create_app
from webapp.domain.services import Services
from webapp.errors import BackendError, Busy, QuotaExceeded
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import Attempt
from webapp.settings import Settings, load_settings
from webapp.web.seats import FULL, SHARE_USED, Seats


@pytest.fixture
def full(app: Flask) -> Seats:
    """Return the seats of a site in which all are taken."""
    seats: Seats = app.extensions["wordkeep_seats"]
    share = load_settings({}).seats_of_one_address
    for number in range(load_settings({}).seats):
        seats.take(f"192.0.2.{number // share}")
    return seats


def test_one_address_has_a_share_of_the_seats() -> None:
    seats = Seats(total=3, share=2)
    give_back = seats.take("a")
    seats.take("a")
    with pytest.raises(QuotaExceeded):
        seats.take("a")
    seats.take("b")
    with pytest.raises(Busy):
        seats.take("c")
    # Twice is once.
    give_back()
    give_back()
    seats.take("a")
    with pytest.raises(Busy):
        seats.take("a")


@pytest.mark.parametrize(
    ("env", "all_seats", "of_one"),
    [
        ({}, 48, 32),
        ({"THREADS": "4"}, 3, 2),
        ({"THREADS": "1"}, 1, 1),
        ({"REPLIES_AT_ONCE": "12", "REPLIES_PER_ADDRESS": "5"}, 12, 5),
        # Never so many that pages have no thread.
        ({"REPLIES_AT_ONCE": "64"}, 48, 32),
    ],
)
def test_pages_keep_threads_of_their_own(
    env: dict[str, str], all_seats: int, of_one: int
) -> None:
    settings = load_settings({f"WORDKEEP_{name}": env[name] for name in env})
    assert (settings.seats, settings.seats_of_one_address) == (all_seats, of_one)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_the_api_says_that_the_site_is_busy(
    app: Flask, services: Services, full: Seats, accept: str
) -> None:
    ada = Caller(app)
    ada.join()
    answer = ada.post(
        "/levels/open/attempts", {"message": "Hello?"}, headers={"Accept": accept}
    )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"
    error = answer.get_json()["error"]
    assert error == {"code": "busy", "message": FULL, "retry_after": 3}
    with services.db.read() as session:
        assert session.query(Attempt).count() == 0


def test_the_api_names_the_share_of_an_address(app: Flask) -> None:
    seats: Seats = app.extensions["wordkeep_seats"]
    for _ in range(load_settings({}).seats_of_one_address):
        seats.take("127.0.0.1")
    ada = Caller(app)
    ada.join()
    answer = ada.post("/levels/open/attempts", {"message": "Hello?"})
    assert answer.status_code == 429
    assert answer.get_json()["error"] == {
        "code": "quota_exceeded",
        "message": SHARE_USED,
        "scope": "network/running",
        "retry_after": 3,
    }


def test_a_page_says_that_the_site_is_busy(player: Browser, full: Seats) -> None:
    answer = player.post("/keep/open/attempts", {"message": "Hello, warden?"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"
    assert FULL in text_of(answer.text)
    assert "Hello, warden?" in answer.text
    assert player.get("/keep").status_code == 200


def test_a_page_that_streams_is_told_so_too(player: Browser, full: Seats) -> None:
    answer = player.post(
        "/keep/open/attempts",
        {"message": "Hello?"},
        headers={"Accept": "text/event-stream"},
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert answer.get_json() == {"error": {"code": "busy", "message": FULL}}


def test_a_password_is_not_checked_without_a_seat(
    browser: Browser, full: Seats
) -> None:
    answer = browser.post("/login", {"name": "Ada", "password": "not the one"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert FULL in text_of(answer.text)


def test_a_seat_is_given_back_however_a_run_ends(
    app: Flask, backend: ScriptedBackend
) -> None:
    ada = Caller(app)
    ada.join()
    backend.enqueue("Yes.", BackendError("Broken."))
    for _ in ("finished", "failed"):
        ada.post("/levels/open/attempts", {"message": "Hello?"})
    ada.listen("Hello?")
    assert ada.post("/levels/told/attempts", {"message": "Hello?"}).status_code == 403
    backend.delay = 0.01
    with app.test_client(use_cookies=False) as client:
        stopped = client.post(
            "/api/v1/levels/open/attempts",
            json={"message": "Hello?"},
            headers={
                "Authorization": f"Bearer {ada.token}",
                "Accept": "text/event-stream",
            },
            buffered=False,
        )
        next(iter(stopped.response))
        stopped.close()
    seats: Seats = app.extensions["wordkeep_seats"]
    assert seats._taken.total() == 0


def test_a_reply_that_goes_on_without_its_reader_keeps_its_seat(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.delay = 0.05
    backend.enqueue("one two three four five six seven eight nine ten")
    stream = player.post(
        "/keep/open/attempts",
        {"message": "Hello?"},
        headers={"Accept": "text/event-stream"},
        buffered=False,
    )
    next(iter(stream.response))
    stream.close()
    taken = player.app.extensions["wordkeep_seats"]._taken
    assert taken.total() == 1
    eventually(lambda: taken.total() == 0)


def test_behind_a_proxy_each_visitor_has_a_share(
    settings: Settings, migrated_file: Path
) -> None:
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    app = create_app(settings.but(trusted_proxies=1))
    seats: Seats = app.extensions["wordkeep_seats"]
    for _ in range(settings.seats_of_one_address):
        seats.take("2001:db8::/64")
    calls = app.test_client(use_cookies=False)
    token = calls.post("/api/v1/players", json={"name": "Ada"}).get_json()["token"]
    statuses = [
        calls.post(
            "/api/v1/levels/open/attempts",
            # Not a message, so that it gets no further than its seat.
            json={"message": ""},
            headers={"Authorization": f"Bearer {token}", "X-Forwarded-For": address},
        ).status_code
        for address in ("2001:db8::7", "198.51.100.1, 2001:db8::9", "198.51.100.1")
    ]
    app.extensions["wordkeep"].db.dispose()
    app.extensions["wordkeep"].boot.close()
    assert statuses == [429, 429, 400]


def test_the_size_of_a_message_is_not_told_without_a_seat(
    player: Browser, full: Seats
) -> None:
    answer = player.post("/keep/open/size", {"message": "Hello?"})
    assert (answer.status_code, answer.get_json()) == (200, {"tokens": None})


def test_the_first_page_says_that_the_site_is_busy(
    browser: Browser, full: Seats
) -> None:
    answer = browser.post("/play", {"name": "Ada", "message": "Hello, warden?"})
    assert answer.status_code == 503
    assert FULL in text_of(answer.text)
    assert "Hello, warden?" in answer.text
    # Nobody was made meanwhile who would hold the name.
    assert browser.get("/me").status_code == 303
