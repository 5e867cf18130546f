"""Dots for rude words, in all that the students of a class are shown if it wants that.

It is done here and nowhere else: pages, their parts, streams, the API and texts to
download pass on their way out. What is kept, judged and guarded stays as it was
written, and so does what somebody typed: boxes of forms, and elements with `data-own`.
A box in which a model's words stand has `data-said`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flask import Flask, Response, request

from webapp.domain.generations.events import Delta, Event, Heartbeat, Queue
from webapp.text import rude
from webapp.web import context

_HTML: Final = frozenset({"text/html", "image/svg+xml"})
_LINES: Final = "application/jsonl"
_TAG: Final = re.compile(
    r"<!--.*?-->|<[/!]?([a-zA-Z][\w:-]*)?((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.DOTALL
)
# Words do not end where these begin or end.
_INSIDE_WORDS: Final = frozenset(
    ("a", "abbr", "b", "bdi", "code", "em", "i", "kbd", "mark", "q", "s", "small")
) | {"span", "strong", "sub", "sup", "tspan", "u"}
# What a person wrote, or what is no text to read.
_LEFT: Final = frozenset({"textarea", "option", "script", "style"})
_READ_ALOUD: Final = re.compile(
    r"""(?<=\s)(?:title|alt|aria-label|data-texts)=("[^"]*"|'[^']*')"""
)
# Values by which programs find things.
_NAMES: Final = frozenset({"id", "model", "name", "url", "code", "status", "token"})


def init_app(app: Flask) -> None:
    """Mask what is answered to students of classes that want it."""
    app.after_request(_mask_answer)


def wanted() -> bool:
    """Tell whether rude words are masked for whoever asks."""
    is_api = (request.blueprint or "").startswith("api_")
    reader = context.known_caller() if is_api else context.player()
    return reader is not None and reader.masks_rude


def html(text: str) -> str:
    """Return HTML or SVG with dots for the rude words that one reads in it."""
    pieces: list[str] = []
    read: list[tuple[int, str]] = []
    last, is_left = 0, False
    for tag in _TAG.finditer(text):
        between = text[last : tag.start()]
        if between and not is_left:
            read.append((len(pieces), between))
        pieces.append(between)
        name, inside = (tag[1] or "").lower(), tag[2] or ""
        is_end = tag[0].startswith("</")
        is_left = not is_end and _is_left(name, inside)
        if name not in _INSIDE_WORDS:
            read.append((-1, "\n"))
        pieces.append(_READ_ALOUD.sub(lambda found: rude.masked(found[0]), tag[0]))
        last = tag.end()
    rest = text[last:]
    read.append((len(pieces), rest))
    pieces.append(rest)
    # One reading of all, because a word may be in several elements.
    shown, at = rude.masked("".join(piece for _, piece in read)), 0
    for place, piece in read:
        if place >= 0:
            pieces[place] = shown[at : at + len(piece)]
        at += len(piece)
    return "".join(pieces)


def data(value: Any) -> Any:
    """Return JSON data with dots in its texts, but for names of things."""
    if isinstance(value, str):
        return rude.masked(value)
    if isinstance(value, list | tuple):
        return [data(one) for one in value]
    if isinstance(value, dict):
        return {
            key: one if key in _NAMES and isinstance(one, str) else data(one)
            for key, one in value.items()
        }
    return value


class Replies:
    """Masks a stream of replies: of each, a word is sent once it is whole."""

    def __init__(self) -> None:
        self._words = rude.Stream()

    def take(self, event: Event) -> list[tuple[Event, dict[str, Any]]]:
        """Take an event; return what is sent now, each with its data."""
        if isinstance(event, Delta):
            fresh = self._words.add(event.text)
            # Written all the same, so that a closed browser is noticed.
            told: Event = Delta(fresh) if fresh else Heartbeat()
            return [(told, told.data())]
        if isinstance(event, Heartbeat | Queue):
            return [(event, event.data())]
        rest, self._words = self._words.end(), rude.Stream()
        before = [(Delta(rest), Delta(rest).data())] if rest else []
        return [*before, (event, data(event.data()))]


def _is_left(name: str, attributes: str) -> bool:
    if "data-said" in attributes:
        return False
    return name in _LEFT or "data-own" in attributes


def _mask_answer(response: Response) -> Response:
    kind = response.mimetype or ""
    is_file = response.headers.get("Content-Disposition", "").startswith("attachment")
    is_read = kind.startswith("text/") or kind in _HTML or kind == _LINES
    is_data = kind == "application/json" and not is_file
    if request.endpoint in {None, "static"} or response.direct_passthrough:
        return response
    if kind == "text/event-stream" or not (is_read or is_data) or not wanted():
        return response
    if response.is_streamed:
        response.response = _each(response.iter_encoded(), kind)
    elif (text := response.get_data(as_text=True)).strip():
        response.set_data(_masked(text, kind))
    return response


def _each(pieces: Iterable[bytes], kind: str) -> Iterator[bytes]:
    for piece in pieces:
        yield _masked(piece.decode(), kind).encode()


def _masked(text: str, kind: str) -> str:
    if kind in _HTML:
        return html(text)
    if kind == _LINES:
        return "".join(f"{_json(line)}\n" for line in text.splitlines())
    return _json(text) if kind == "application/json" else rude.masked(text)


def _json(text: str) -> str:
    return json.dumps(data(json.loads(text)), ensure_ascii=False)
