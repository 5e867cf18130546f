"""Players for the benches: each talks to the JSON API over a connection of its own."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


class ApiFailure(Exception):
    """The site answered with an error, or not at all."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One attempt as its player saw it; times in seconds since it was sent."""

    attempt_id: int
    first_text: float | None
    total: float
    events: int


class ApiPlayer:
    """A player with a token. Raises ApiFailure for every answer but success."""

    def __init__(self, url: str, name: str, *, timeout: float = 300) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._timeout = timeout
        self.name = name
        self._token = ""
        self._token = str(self.post("/players", {"name": name})["token"])

    def get(self, path: str) -> Any:
        """Return the JSON answer of a GET under /api/v1."""
        return self._json("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer of a POST under /api/v1."""
        return self._json("POST", path, body)

    def attack(self, level_id: str, message: str) -> Timed:
        """Send a message, read the stream to its end, and time it."""
        started = time.perf_counter()
        attempt_id, first, count = -1, None, 0
        for name, data in self.stream(level_id, message):
            count += 1
            if name == "start":
                attempt_id = data["id"]
            elif name in {"delta", "reply"} and first is None:
                first = time.perf_counter() - started
            elif name == "error":
                raise ApiFailure(f"attempt {attempt_id}: {data['code']}")
        return Timed(attempt_id, first, time.perf_counter() - started, count)

    def stream(self, level_id: str, message: str) -> Iterator[tuple[str, Any]]:
        """Yield (event name, data) of an attempt until the site ends the stream."""
        path = f"/levels/{level_id}/attempts"
        connection, response = self._send("POST", path, {"message": message}, True)
        try:
            name = ""
            for raw in response:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    yield name, json.loads(line[6:])
        finally:
            connection.close()

    def _json(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        connection, response = self._send(method, path, body, False)
        try:
            return json.loads(response.read() or b"null")
        finally:
            connection.close()

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, is_stream: bool
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(*self._address, timeout=self._timeout)
        headers = {
            "Accept": "text/event-stream" if is_stream else "application/json",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._token}",
        }
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, f"/api/v1{path}", data, headers)
        response = connection.getresponse()
        if response.status >= 400:
            text = response.read().decode(errors="replace")[:300]
            connection.close()
            raise ApiFailure(f"{method} {path}: {response.status} {text}")
        return connection, response
