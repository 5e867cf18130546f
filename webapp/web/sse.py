"""Events of a run as server-sent events, for the pages and for the API."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Response, request

from webapp.domain.generations.events import Event, Heartbeat
from webapp.domain.generations.runs import Run

MIME = "text/event-stream"


class EventStream(Iterator[bytes]):
    """The bytes of a stream. The server closes it when the reader goes away.

    It is a class and not a generator because one that was never started would not
    pass the closing on, and the model would run on unread.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __next__(self) -> bytes:
        return encode(next(self._run))

    def close(self) -> None:
        """Stop the run."""
        self._run.close()


def encode(event: Event) -> bytes:
    """Return one event; a heartbeat is a comment, which readers skip."""
    if isinstance(event, Heartbeat):
        return b": waiting\n\n"
    data = json.dumps(event.data(), ensure_ascii=False)
    return f"event: {event.name}\ndata: {data}\n\n".encode()


def is_wanted() -> bool:
    """Tell whether the request asks for a stream."""
    return MIME in request.accept_mimetypes.values()


def answer(run: Run) -> Response:
    """Return the response that carries a run while it happens."""
    response = Response(EventStream(run), mimetype=MIME)
    response.headers["Cache-Control"] = "no-store"
    # Proxies in front must pass each event on at once.
    response.headers["X-Accel-Buffering"] = "no"
    return response
