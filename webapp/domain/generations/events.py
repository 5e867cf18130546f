"""What happens during a generation, in the order in which a page can show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `name` is its name in a stream of server-sent events."""

    name: ClassVar[str] = "event"

    def data(self) -> dict[str, Any]:
        """Return what is sent with it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Start(Event):
    """It is recorded under this id."""

    name: ClassVar[str] = "start"
    id: int


@dataclass(frozen=True, slots=True)
class Queue(Event):
    """The message waits; `position` 1 is next."""

    name: ClassVar[str] = "queue"
    position: int


@dataclass(frozen=True, slots=True)
class Delta(Event):
    """A piece of the reply, where no output guard may still stop it."""

    name: ClassVar[str] = "delta"
    text: str


@dataclass(frozen=True, slots=True)
class Answer(Event):
    """The site itself answers: no model has read the message, and it does not count."""

    name: ClassVar[str] = "answer"
    text: str


@dataclass(frozen=True, slots=True)
class Heartbeat(Event):
    """Nothing new: written so that a closed browser is noticed."""

    name: ClassVar[str] = "heartbeat"


@dataclass(frozen=True, slots=True)
class ErrorEvent(Event):
    """It failed; it is kept but does not count. `status` is as in HTTP."""

    name: ClassVar[str] = "error"
    code: str
    message: str
    status: int


@dataclass(frozen=True, slots=True)
class End(Event):
    """It is over and saved. A feature may tell more in a subclass."""

    name: ClassVar[str] = "end"
    id: int
    status: str
