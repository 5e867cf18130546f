"""Events of a run as server-sent events, for the pages and for the API."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from flask import Response, request

from webapp.domain.generations.events import Event, Heartbeat
from webapp.domain.generations.runs import Run
from webapp.web import masks
from webapp.web.masks import Replies
from webapp.web.seats import Seated

MIME = "text/event-stream"


class EventStream(Iterator[bytes]):
    """The bytes of a stream. The server closes it when the reader goes away.

    It is a class and not a generator because one that was never started would not
    pass the closing on, and the model would run on unread.
    """

    def __init__(
        self, events: Run | Seated | Generator[Event], *, masks: bool = False
    ) -> None:
        """With `masks`, rude words are sent as dots."""
        self._events = events
        self._replies = Replies() if masks else None

    def __next__(self) -> bytes:
        event = next(self._events)
        if self._replies is None:
            return encode(event, event.data())
        return b"".join(encode(*told) for told in self._replies.take(event))

    def close(self) -> None:
        """Stop a run; leave one that goes on without its readers."""
        self._events.close()


def encode(event: Event, data: Mapping[str, Any]) -> bytes:
    """Return one event; a heartbeat is a comment, which readers skip."""
    if isinstance(event, Heartbeat):
        return b": waiting\n\n"
    told = json.dumps(data, ensure_ascii=False)
    return f"event: {event.name}\ndata: {told}\n\n".encode()


def is_wanted() -> bool:
    """Tell whether the request asks for a stream."""
    return MIME in request.accept_mimetypes.values()


def answer(events: Seated | Generator[Event]) -> Response:
    """Return the response that carries events while they happen."""
    response = Response(EventStream(events, masks=masks.wanted()), mimetype=MIME)
    response.headers["Cache-Control"] = "no-store"
    # Proxies in front must pass each event on at once.
    response.headers["X-Accel-Buffering"] = "no"
    return response
