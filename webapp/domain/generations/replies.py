"""What a model says, and how it is read while it comes."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from webapp.domain.generations import events
from webapp.domain.texts import storable
from webapp.llm import gateway as llm

BEAT_SECONDS: Final = 0.25


@dataclass(slots=True)
class Record:
    """What is known of a reply so far; filled while it is read.

    The reply may be held back from its player, so it stays out of the repr.
    """

    reply: str = field(default="", repr=False)
    completion: llm.Completion | None = field(default=None, repr=False)
    # Whether the player may have read a part of the reply already.
    is_visible: bool = True

    @property
    def is_blocked(self) -> bool:
        """Whether something stopped it that the feature put there, such as a guard."""
        return False


def listen(stream: Generator[llm.ChatEvent], record: Record) -> Generator[events.Event]:
    """Collect a reply; yield its pieces only where the player may read them by now.

    Closing it early closes the stream, which stops the model. Raises BackendError when
    the model fails.
    """
    beat_at = 0.0
    with closing(stream):
        for event in stream:
            match event:
                case llm.Done(completion):
                    record.completion = completion
                case llm.InQueue(position):
                    yield events.Queue(position)
                case llm.Silence():
                    yield events.Heartbeat()
                case llm.Piece(text):
                    piece = storable(text)
                    record.reply += piece
                    if record.is_visible:
                        yield events.Delta(piece)
                    elif time.monotonic() >= beat_at:
                        # By the clock: one for each piece would measure the reply.
                        beat_at = time.monotonic() + BEAT_SECONDS
                        yield events.Heartbeat()
