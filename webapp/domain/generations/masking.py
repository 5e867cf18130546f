"""Masks for rude words in replies, as a class is shown them; what is kept stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from webapp.domain.generations.events import Delta, Heartbeat
from webapp.text import rude

T = TypeVar("T")


def shown(text: str, *, masks: bool) -> str:
    """Return a text as a class is shown it."""
    return rude.masked(text) if masks else text


def in_stream(
    happening: Iterator[T], *, masks: bool
) -> Iterator[T | Delta | Heartbeat]:
    """Yield what happens; of a reply, a word is only shown once it is whole."""
    if not masks:
        yield from happening
        return
    words = rude.Stream()
    for happened in happening:
        if not isinstance(happened, Delta):
            yield happened
            continue
        fresh = words.add(happened.text)
        # Written all the same, so that a closed browser is noticed.
        yield Delta(fresh) if fresh else Heartbeat()
    if rest := words.end():
        yield Delta(rest)
