"""Whatever goes wrong under /api has one shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.kit.caller import Caller, check
from tests.kit.faults import FullDisk
from webapp.domain.people import access, accounts
from webapp.domain.services import Services
from webapp.settings import Settings, load_settings

PROBLEM = {"$ref": "#/components/schemas/Problem"}
ATTEMPTS = "/api/v1/levels/open/attempts"


def problem(answer: Any, status: int) -> dict[str, Any]:
    """Return the error of an answer, which must have our shape and this status."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    check(PROBLEM, answer.get_json())
    found: dict[str, Any] = answer.get_json()["error"]
    return found


@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v2/levels", "/api/v1/nope", "/api/nope/"]
)
def test_unknown_addresses(client: FlaskClient, path: str) -> None:
    assert problem(client.get(path), 404)["code"] == "not_found"


def test_a_wrong_method_says_which_are_right(ada: Caller) -> None:
    answer = ada.client.delete("/api/v1/levels")
    assert problem(answer, 405)["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_health_is_only_read(client: FlaskClient, method: str) -> None:
    answer = client.open("/health", method=method)
    assert problem(answer, 405)["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_pages_keep_their_own_errors(client: FlaskClient) -> None:
    answer = client.get("/nope")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer nön-sense",
        "Basic QWRhOnBhc3N3b3Jk",
        "Token abc",
    ],
)
def test_who_has_no_token_is_told_how(app: Flask, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = app.test_client().get("/api/v1/levels", headers=headers)
    assert problem(answer, 401)["code"] in {"not_signed_in", "wrong_token"}
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_cookie_is_no_token(app: Flask, services: Services) -> None:
    browser = app.test_client()
    ada = accounts.create_player(services, name="Ada").player_id
    key = access.begin(services, player_id=ada)
    with browser.session_transaction() as session:
        session["_user_id"] = f"{ada}.{key}"
        session["_fresh"] = True
    assert browser.get("/me").status_code == 200
    problem(browser.get("/api/v1/levels"), 401)
    problem(browser.post(ATTEMPTS, json={"message": "Hello"}), 401)


def test_a_replaced_token_is_no_token(ada: Caller, services: Services) -> None:
    accounts.create_token(services, player_id=1)
    assert problem(ada.get("/levels"), 401)["code"] == "wrong_token"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"3",
        b'{"message": NaN}',
        b'{"message": Infinity}',
        b'{"message": "half \\ud83d"}',
        b'{"message": "\xff\xfe"}',
        b"\x00\x01\x02",
        b"[" * 100_000,
        b'{"message":' + b"[" * 5_000,
        b'{"message": "x"} trailing',
    ],
)
def test_a_body_that_is_no_json_object(ada: Caller, body: bytes) -> None:
    answer = ada.send(
        "POST", "/levels/open/attempts", data=body, content_type="application/json"
    )
    found = problem(answer, 400)
    assert found["code"] == "invalid_json"
    assert "\x00" not in found["message"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": "a", "message": "b"}',
        b'{"message": "a", "m\\u0065ssage": "b"}',
        b'{"message": {"message": 1, "message": 2}}',
    ],
)
def test_two_keys_of_one_name(ada: Caller, body: bytes) -> None:
    answer = ada.send(
        "POST", "/levels/open/attempts", data=body, content_type="application/json"
    )
    found = problem(answer, 400)
    assert (found["code"], found["message"]) == (
        "invalid_input",
        "“message” appears twice.",
    )


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "message", "is missing"),
        ({"message": None}, "message", "must be text"),
        ({"message": 3}, "message", "must be text"),
        ({"message": 10**400}, "message", "must be text"),
        ({"message": ["x"]}, "message", "must be text"),
        ({"message": {"x": 1}}, "message", "must be text"),
        ({"message": True}, "message", "must be text"),
        ({"message": "x", "model": "gpt"}, "model", "There are: message, visit."),
    ],
)
def test_a_wrong_key_is_named(
    ada: Caller, body: dict[str, Any], field: str, says: str
) -> None:
    found = problem(ada.post("/levels/open/attempts", body), 400)
    assert found["field"] == field
    assert says in found["message"]


@pytest.mark.parametrize(
    "message", ["", " ", "x" * 100_000, "a\x00b", "\x1b[31m", "\x07"]
)
def test_a_message_that_is_no_text(ada: Caller, message: str) -> None:
    answer = ada.post("/levels/open/attempts", {"message": message})
    assert problem(answer, 400)["code"] == "invalid_input"
    assert ada.get("/me/attempts").get_json()["items"] == []


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded"]
)
def test_what_is_not_sent_as_json(ada: Caller, content_type: str | None) -> None:
    answer = ada.send(
        "POST",
        "/levels/open/attempts",
        data=b'{"message": "x"}',
        content_type=content_type,
    )
    assert problem(answer, 415)["code"] == "not_json"


def test_a_body_that_is_too_large(ada: Caller) -> None:
    answer = ada.post("/levels/open/attempts", {"message": "x" * 300_000})
    assert problem(answer, 413)["code"] == "too_large"


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("before=x", "before", "“before” must be a whole number."),
        ("before=0", "before", "“before” must be at least 1."),
        ("before=-1", "before", "“before” must be at least 1."),
        ("before=" + "9" * 5_000, "before", "“before” is too large."),
        ("before=1&before=2", "before", "“before” appears twice."),
        (
            "limit=5",
            "limit",
            "“limit” is not known here. There are: query, level, before.",
        ),
        (
            "query=" + "x" * 201,
            "query",
            "“query” may have at most 200 characters.",
        ),
    ],
)
def test_a_wrong_parameter_is_named(
    ada: Caller, query: str, field: str, says: str
) -> None:
    found = problem(ada.get(f"/me/attempts?{query}"), 400)
    assert (found["field"], found["message"]) == (field, says)


@pytest.mark.parametrize("query", ["query=%00", "level=%00", "query=%FF"])
def test_a_parameter_that_is_no_text_finds_nothing(ada: Caller, query: str) -> None:
    answer = ada.get(f"/me/attempts?{query}")
    if answer.status_code == 200:
        assert answer.get_json()["items"] == []
    else:
        problem(answer, 400)


def test_an_unknown_class(ada: Caller) -> None:
    found = problem(ada.get("/leaderboard?class=other"), 400)
    assert found["field"] == "class"
    assert found["message"] == "“class” must be 'all' or 'mine'."


@pytest.mark.parametrize("level", ["nowhere", "..%2f..%2fetc", "%00", "x" * 3000])
def test_an_unknown_level(ada: Caller, level: str) -> None:
    assert ada.client.post(
        f"/api/v1/levels/{level}/reset",
        headers={"Authorization": f"Bearer {ada.token}"},
    ).status_code in {404, 414}


@pytest.mark.parametrize("name", ["", "x", "x" * 25, "a\u202eb", "a\x00b"])
def test_a_bad_nickname(app: Flask, name: str) -> None:
    problem(Caller(app).post("/players", {"name": name}), 400)


def test_a_taken_nickname(app: Flask, ada: Caller) -> None:
    found = problem(Caller(app).post("/players", {"name": "ADA"}), 409)
    assert found["code"] == "name_taken"


class TestQuota:
    """With three guesses a day."""

    @pytest.fixture
    def settings(self, instance: Path) -> Settings:
        """Return settings with a low limit."""
        return load_settings({}, instance=instance, guesses_per_day=3)

    def test_a_used_up_quota_says_whose(self, ada: Caller) -> None:
        for _ in range(3):
            ada.guess("nothing")
        answer = ada.post("/levels/open/guesses", {"guess": "nothing"})
        found = problem(answer, 429)
        assert (found["code"], found["scope"]) == ("quota_exceeded", "player/day")
        assert answer.headers["Retry-After"] == str(found["retry_after"])


class TestSignUpLimit:
    """With three new players an hour from one address."""

    @pytest.fixture
    def settings(self, instance: Path) -> Settings:
        """Return settings with a low limit."""
        return load_settings({}, instance=instance, sign_ups_per_hour=3)

    def test_it_is_one_count_for_api_and_pages(self, app: Flask) -> None:
        for n in range(3):
            Caller(app).join(f"Player {n}")
        answer = Caller(app).post("/players", {"name": "Ada"})
        found = problem(answer, 429)
        assert found["scope"] == "address/hour"
        assert "network" in found["message"]
        assert 3590 <= int(answer.headers["Retry-After"]) <= 3600
        page = app.test_client().post("/play", data={"name": "Ada"})
        assert page.status_code in {400, 429}


def test_our_own_mistake_tells_a_number_and_nothing_else(
    ada: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the inner workings")

    monkeypatch.setattr("webapp.domain.play.keep.level_states", fail)
    found = problem(ada.get("/levels"), 500)
    assert found["code"] == "internal"
    assert "inner" not in found["message"]
    number = found["message"].rstrip(".").split()[-1]
    assert number in caplog.text


def test_a_full_disk_is_said_and_nothing_is_lost(
    ada: Caller, services: Services
) -> None:
    first = ada.say("Hello")
    disk = FullDisk(services.db)
    for _ in range(50):
        answer = ada.post("/levels/open/attempts", {"message": "x" * 2000})
        if answer.status_code != 200:
            break
    found = problem(answer, answer.status_code)
    assert (answer.status_code, found["code"]) in {(503, "storage"), (500, "not_saved")}
    disk.end()
    items = ada.get("/me/attempts").get_json()["items"]
    assert items[-1]["id"] == first["id"]
    assert ada.say("Hello again")["status"] == "finished"
    items = ada.get("/me/attempts").get_json()["items"]
    assert "running" not in {item["status"] for item in items}
