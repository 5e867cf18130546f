"""The engine's own port, for what has no Python call."""

from __future__ import annotations

import http.client
import json
from queue import LifoQueue
from typing import Any
from urllib.parse import urlsplit

_CONNECTIONS = 4


class EngineError(Exception):
    """The engine refused or broke. The text is for logs only if it quotes no prompt."""


class Loopback:
    """A few kept-alive connections to the engine's own port, shared by all threads.

    Only a few: the engine gives a thread to each connection, even to an idle one.
    """

    def __init__(self, address: str, key: str) -> None:
        host = urlsplit(address).netloc
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
        }
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue()
        for _ in range(_CONNECTIONS):
            self._idle.put(http.client.HTTPConnection(host, timeout=60))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send JSON and return the JSON answer."""
        return self._call("POST", path, json.dumps(body).encode())

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON of a page."""
        return self._call("GET", path, None)

    def _call(self, method: str, path: str, data: bytes | None) -> dict[str, Any]:
        connection = self._idle.get()
        try:
            try:
                status, answer = self._exchange(connection, method, path, data)
            except (http.client.HTTPException, OSError):
                # The engine closes idle connections; a fresh one settles it.
                connection.close()
                status, answer = self._exchange(connection, method, path, data)
        finally:
            self._idle.put(connection)
        if status != http.HTTPStatus.OK:
            raise EngineError(f"the engine answered {status} on {path}")
        result: dict[str, Any] = json.loads(answer)
        return result

    def close(self) -> None:
        """Close the idle connections."""
        while not self._idle.empty():
            self._idle.get().close()

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        data: bytes | None,
    ) -> tuple[int, bytes]:
        connection.request(method, path, data, self._headers)
        response = connection.getresponse()
        return response.status, response.read()
