"""What happens during an attempt, in the order in which a page can show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from webapp.plugins.guard import Stage


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `name` is its name in a stream of server-sent events."""

    name: ClassVar[str] = "event"

    def data(self) -> dict[str, Any]:
        """Return what is sent with it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Start(Event):
    """The attempt is recorded under this id."""

    name: ClassVar[str] = "start"
    id: int


@dataclass(frozen=True, slots=True)
class Queue(Event):
    """The message waits; `position` 1 is next."""

    name: ClassVar[str] = "queue"
    position: int


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
class Delta(Event):
    """A piece of the reply, where no output guard may still stop it."""

    name: ClassVar[str] = "delta"
    text: str


@dataclass(frozen=True, slots=True)
class Heartbeat(Event):
    """Nothing new: written so that a closed browser is noticed."""

    name: ClassVar[str] = "heartbeat"


@dataclass(frozen=True, slots=True)
class Reply(Event):
    """What the player gets to read: the whole reply, or the text of a blocked turn."""

    name: ClassVar[str] = "reply"
    text: str | None
    blocked_by: str | None
    blocked_text: str | None


@dataclass(frozen=True, slots=True)
class ErrorEvent(Event):
    """The attempt failed; it is kept but does not count. `status` is as in HTTP."""

    name: ClassVar[str] = "error"
    code: str
    message: str
    status: int


@dataclass(frozen=True, slots=True)
class End(Event):
    """The attempt is over and saved; `notice` tells of a visit that ended with it."""

    name: ClassVar[str] = "end"
    id: int
    status: str
    turns_left: int | None
    suspicion_left: int | None
    notice: str | None
