"""A player who talks to the API of a running site, and takes each answer as it is."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the site answered to one call."""

    status: int
    body: Any

    @property
    def message(self) -> str:
        """What a failed call tells the player."""
        return str(self.body["error"]["message"])


class Player:
    """A player with a token."""

    def __init__(self, url: str, name: str) -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"Content-Type": "application/json"}
        token = self.post("/players", {"name": name}).body["token"]
        self._headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Any:
        """Return what a call tells that must succeed."""
        answer = self._call("GET", path, None)
        assert answer.status == 200, answer
        return answer.body

    def post(self, path: str, body: object) -> Answer:
        """Send JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._call("POST", path, data)

    def say(self, level_id: str, message: str) -> Answer:
        """Send a message and wait for the end."""
        return self.post(f"/levels/{level_id}/attempts", {"message": message})

    def guess(self, level_id: str, word: str) -> Answer:
        """Try a password."""
        return self.post(f"/levels/{level_id}/guesses", {"guess": word})

    def stream(self, level_id: str, message: str) -> Iterator[tuple[str, Any]]:
        """Yield the events of an attempt until the stream ends, however it ends."""
        connection = self._connect()
        with closing(connection):
            headers = {**self._headers, "Accept": "text/event-stream"}
            body = json.dumps({"message": message}).encode()
            path = f"/api/v1/levels/{level_id}/attempts"
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            name = ""
            try:
                for line in response:
                    if line.startswith(b"event: "):
                        name = line[7:].decode().strip()
                    elif line.startswith(b"data: "):
                        yield name, json.loads(line[6:])
            except (OSError, http.client.HTTPException):
                yield "broken", None

    def attempts(self) -> list[dict[str, Any]]:
        """Return the newest attempts, oldest first."""
        items: list[dict[str, Any]] = self.get("/me/attempts")["items"]
        return items[::-1]

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._address, timeout=PATIENCE)

    def _call(self, method: str, path: str, data: bytes | None) -> Answer:
        connection = self._connect()
        with closing(connection):
            connection.request(method, f"/api/v1{path}", data, self._headers)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read()))
