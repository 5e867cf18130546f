"""What happens during a run of a panel: what any run has, and what judging adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from webapp.domain.generations.events import (
    Answer,
    Delta,
    End,
    ErrorEvent,
    Event,
    Heartbeat,
    Queue,
    Start,
)
from webapp.domain.learn.history import SampleView
from webapp.domain.learn.judging import Judged, Tally, Verdict
from webapp.domain.learn.telling import Told

__all__ = [
    "Answer",
    "Before",
    "Delta",
    "End",
    "ErrorEvent",
    "Event",
    "Heartbeat",
    "JudgedSample",
    "OutcomeEvent",
    "Queue",
    "SampleBegins",
    "Start",
]


@dataclass(frozen=True, slots=True)
class Before(Event):
    """What was typed has been judged, before any call of a model.

    Where `counts` is False, `message` says why this run will not count.
    """

    name: ClassVar[str] = "before"
    outcomes: tuple[dict[str, Any], ...]
    counts: bool
    message: str

    @classmethod
    def of(cls, verdict: Verdict) -> Before:
        """Return the event of a verdict."""
        first = verdict.first_failing
        counts = verdict.status != "failed"
        message = verdict.mistake_text or (first.message if first else "")
        rows = tuple(shown(judged) for judged in verdict.judged)
        return cls(rows, counts, "" if counts else message)


@dataclass(frozen=True, slots=True)
class SampleBegins(Event):
    """The model is asked for sample `number` of `of`; `start` is written for it."""

    name: ClassVar[str] = "sample"
    number: int
    of: int
    start: str


@dataclass(frozen=True, slots=True)
class JudgedSample(Event):
    """A reply is whole and judged: the first failing check is told, all are there.

    `tally` counts the samples so far.
    """

    name: ClassVar[str] = "judged"
    number: int
    reply: str
    status: str
    message: str
    why: str | None
    span: tuple[int, int] | None
    checks: tuple[dict[str, Any], ...]
    tally: Tally

    @classmethod
    def of(
        cls, number: int, reply: str, verdict: Verdict, tally: Tally
    ) -> JudgedSample:
        """Return the event of a verdict."""
        first = verdict.first_failing
        told = verdict.mistake_text or (first.message if first else "")
        span = first.span if first and first.of == "reply" else None
        return cls(
            number=number,
            reply=reply,
            status=verdict.status,
            message=told,
            why=first.why if first else None,
            span=(span.start, span.end) if span else None,
            checks=tuple(shown(judged) for judged in verdict.judged),
            tally=tally,
        )

    @classmethod
    def of_row(cls, number: int, sample: SampleView) -> JudgedSample:
        """Return the event of a sample that was kept."""
        first = sample.first_failing
        span = first.span if first and first.of == "reply" else None
        return cls(
            number=number,
            reply=sample.reply,
            status=sample.status or "ungraded",
            message=sample.message,
            why=first.why if first else None,
            span=(span.start, span.end) if span else None,
            checks=tuple(shown(judged) for judged in sample.checks),
            tally=sample.tally,
        )


@dataclass(frozen=True, slots=True)
class OutcomeEvent(Event):
    """What the whole run came to, once it is saved."""

    name: ClassVar[str] = "outcome"
    told: Told

    def data(self) -> dict[str, Any]:
        """Return the fields of what is told, without a name around them."""
        return self.told.as_row()


def shown(judged: Judged) -> dict[str, Any]:
    """Return a check as a page shows it."""
    row = judged.as_row()
    return {
        key: row[key] for key in ("check", "of", "status", "message", "why", "span")
    }
