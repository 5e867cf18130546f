"""Players for the benches: each talks to the site over connections of its own."""

from __future__ import annotations

import html
import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2

P = TypeVar("P")
R = TypeVar("R")
_SEAL = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class ApiFailure(Exception):
    """The site answered with an error, or not at all."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One reply as its player saw it; times in seconds since it was asked for.

    `attempt_id` is the id of its generation, whatever the feature.
    """

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
        return _timed(self.stream(level_id, message))

    def stream(self, level_id: str, message: str) -> Iterator[tuple[str, Any]]:
        """Yield (event name, data) of an attempt until the site ends the stream."""
        path = f"/levels/{level_id}/attempts"
        connection, response = self._send("POST", path, {"message": message}, True)
        try:
            yield from _events(raw.decode() for raw in response)
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


class PageStudent:
    """A guest who uses the pages with a browser's cookie, without a script.

    `at` is the address of the page that came last. Raises ApiFailure for every answer
    but success.
    """

    def __init__(self, url: str, *, timeout: float = 300) -> None:
        self._http = httpx2.Client(base_url=url, timeout=timeout, trust_env=False)
        self.page("/lab/playground")
        # The first thing that is kept makes a guest of a visitor.
        self.send("/lab/playground/instructions", {"instructions": ""})

    def page(self, path: str) -> str:
        """Return a page, and take the seal of its forms."""
        return self._text(self._http.get(path))

    def send(self, path: str, fields: dict[str, Any], **more: Any) -> str:
        """Send a form, follow where it leads, and return that page."""
        data = {**fields, "csrf_token": self._seal}
        return self._text(
            self._http.post(path, data=data, follow_redirects=True, **more)
        )

    def ask(self, fields: dict[str, str]) -> Timed:
        """Ask a model in the playground, read the stream to its end, and time it."""
        fields = {"do": "send", **fields}
        return _timed(self.stream("/lab/playground/replies", fields))

    def stream(self, path: str, fields: dict[str, str]) -> Iterator[tuple[str, Any]]:
        """Send a form and yield (event name, data) until the site ends the stream."""
        data = {**fields, "csrf_token": self._seal}
        headers = {"Accept": "text/event-stream"}
        with self._http.stream("POST", path, data=data, headers=headers) as answer:
            if answer.status_code >= 400:
                _fail(answer, answer.read().decode(errors="replace"))
            yield from _events(answer.iter_lines())

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _text(self, answer: httpx2.Response) -> str:
        text = str(answer.text)
        if answer.status_code >= 400:
            _fail(answer, text)
        self.at = answer.url.path
        if seal := _SEAL.search(text):
            self._seal = html.unescape(seal[1])
        return text


def all_at_once(players: Sequence[P], play: Callable[[P], R]) -> list[R]:
    """Let each player do the same at the same time; return what each brought."""
    barrier = threading.Barrier(len(players))

    def run(player: P) -> R:
        barrier.wait()
        return play(player)

    with ThreadPoolExecutor(len(players)) as pool:
        return list(pool.map(run, players))


def _fail(answer: httpx2.Response, text: str) -> None:
    raise ApiFailure(f"{answer.request.url.path}: {answer.status_code} {text[:300]}")


def _events(lines: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield (event name, data) of server-sent events."""
    name = ""
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def _timed(events: Iterator[tuple[str, Any]]) -> Timed:
    started = time.perf_counter()
    attempt_id, first, count = -1, None, 0
    for name, data in events:
        count += 1
        if name == "start":
            attempt_id = data["id"]
        elif name in {"delta", "reply"} and first is None:
            first = time.perf_counter() - started
        elif name == "error":
            raise ApiFailure(f"reply {attempt_id}: {data['code']}")
    return Timed(attempt_id, first, time.perf_counter() - started, count)
