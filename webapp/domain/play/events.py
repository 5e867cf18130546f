"""What happens during an attempt: what happens in any run, and what the game adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from webapp.domain.generations import events
from webapp.domain.generations.events import (
    Delta,
    ErrorEvent,
    Event,
    Heartbeat,
    Queue,
    Start,
)
from webapp.plugins.guard import Stage

__all__ = [
    "Delta",
    "End",
    "ErrorEvent",
    "Event",
    "GuardEvent",
    "Heartbeat",
    "Queue",
    "ShownReply",
    "Start",
]


@dataclass(frozen=True, slots=True)
class GuardEvent(Event):
    """A guard has judged. Score, reason and ms are None where the level hides them."""

    name: ClassVar[str] = "guard"
    guard: str
    stage: Stage
    allowed: bool
    score: float | None
    ms: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ShownReply(Event):
    """What the player gets to read: the whole reply, or the text of a blocked turn."""

    name: ClassVar[str] = "reply"
    text: str | None
    blocked_by: str | None
    blocked_text: str | None


@dataclass(frozen=True, slots=True)
class End(events.End):
    """The attempt is over and saved; `notice` tells of a visit that ended with it."""

    turns_left: int | None
    suspicion_left: int | None
    notice: str | None
