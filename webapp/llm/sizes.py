"""Sizes of prompts found lately: one message is measured more than once on its way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from webapp.llm.events import Size
from webapp.plugins.asking import Message


class Known(NamedTuple):
    """What was found, until a moment of the clock; None where nobody could say."""

    until: float
    size: Size | None


class KnownSizes:
    """The last sizes, found by digest: texts are not kept."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._sizes: dict[bytes, Known] = {}

    def get(self, key: bytes) -> Known | None:
        """Return what is known of a prompt, or None where it has to be measured."""
        known = self._sizes.get(key)
        return known if known is not None and self._clock() < known.until else None

    def put(self, key: bytes, size: Size | None, seconds: float) -> None:
        """Keep what was found for so many seconds."""
        if len(self._sizes) >= self._most:
            self._sizes.clear()
        self._sizes[key] = Known(self._clock() + seconds, size)


def key_of(model: str, messages: Sequence[Message], *, raw_tokens: bool) -> bytes:
    """Return what a prompt is found by."""
    text = json.dumps([model, list(messages), raw_tokens])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
