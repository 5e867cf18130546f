"""What happens during an attempt: what happens in any run, and what the game adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from webapp.domain.generations import events
from webapp.domain.generations.events import (
    Answer,
    Delta,
    ErrorEvent,
    Event,
    Heartbeat,
    Queue,
)
from webapp.plugins.guard import Stage

__all__ = [
    "Answer",
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
class Start(events.Start):
    """The attempt is recorded under this id, in the visit with that id."""

    visit: int


@dataclass(frozen=True, slots=True)
class GuardEvent(Event):
    """A guard has judged. Score, reason and ms are None where the level hides them.

    `guard` is its kind, `guard_name` how the level calls it, `guard_term` what the
    field does.
    """

    name: ClassVar[str] = "guard"
    guard: str
    guard_name: str
    guard_term: str
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
