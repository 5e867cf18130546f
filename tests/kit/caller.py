"""A program that plays over the API, and checks every answer against the document."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from webapp.api import calls, openapi

DOCUMENT = openapi.build(calls.operations())
BASE = "/api/v1"


def check(schema: dict[str, Any], value: object) -> None:
    """Raise an error unless the value fits a schema of the document."""
    root = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(
        root, format_checker=Draft202012Validator.FORMAT_CHECKER
    ).validate(value)


def described(method: str, path: str) -> dict[str, Any]:
    """Return what the document says of the call that a request reaches."""
    for pattern, methods in DOCUMENT["paths"].items():
        shape = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern))
        if re.fullmatch(shape, path) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    raise AssertionError(f"{method} {path} is not in the document")


class Caller:
    """One player with a token."""

    def __init__(self, app: Flask, token: str = "") -> None:
        self.client: FlaskClient = app.test_client(use_cookies=False)
        self.token = token

    def join(self, name: str = "Ada") -> dict[str, Any]:
        """Become a new player."""
        answer = self.post("/players", {"name": name})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.get_json()
        self.token = found["token"]
        return found

    def get(self, path: str, **options: Any) -> TestResponse:
        """Send a GET."""
        return self.send("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> TestResponse:
        """Send a POST with a JSON body."""
        if body is not None:
            options["json"] = body
        return self.send("POST", path, **options)

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request and compare the answer with the document."""
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        answer = self.client.open(
            BASE + path, method=method, headers=headers, **options
        )
        assert "Set-Cookie" not in answer.headers
        call = described(method, (BASE + path).partition("?")[0])
        _check_answer(call, answer)
        return answer

    def say(self, message: str, level: str = "open") -> dict[str, Any]:
        """Send a message and return the answer."""
        answer = self.post(f"/levels/{level}/attempts", {"message": message})
        found: dict[str, Any] = answer.get_json()
        return found

    def guess(self, guess: str, level: str = "open") -> dict[str, Any]:
        """Try a password and return the answer."""
        answer = self.post(f"/levels/{level}/guesses", {"guess": guess})
        found: dict[str, Any] = answer.get_json()
        return found

    def listen(self, message: str, level: str = "open") -> list[tuple[str, Any]]:
        """Send a message and return the events: pairs of name and data."""
        answer = self.post(
            f"/levels/{level}/attempts",
            {"message": message},
            headers={"Accept": "text/event-stream"},
        )
        return parse_events(answer.text)


def parse_events(text: str) -> list[tuple[str, Any]]:
    """Return the events of a stream, without comments."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and line[0] != ":"]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def _check_answer(call: dict[str, Any], answer: TestResponse) -> None:
    responses = call["responses"]
    assert str(answer.status_code) in responses, f"{answer.status}: {answer.text}"
    if answer.status_code == 304:
        assert answer.data == b""
        return
    content = responses[str(answer.status_code)]["content"][answer.mimetype]
    if answer.mimetype == "text/event-stream":
        for name, data in parse_events(answer.text):
            check(content["x-events"][name], data)
    else:
        check(content["schema"], answer.get_json())
