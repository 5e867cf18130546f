"""Ask a model what it expects: one look, one row, counted as a run in the lab."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from webapp.domain.generations import events, runs
from webapp.domain.generations.replies import Record
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import SiteAnswer, answer_to
from webapp.domain.services import Services
from webapp.domain.texts import storable
from webapp.errors import BackendError
from webapp.llm import gateway as llm
from webapp.rows import LAB, Generation, Player

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What came of a look, and what of it is recorded as a reply."""

    found: T
    prompt_tokens: int
    reply: str = ""
    reply_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What is asked. `prompt` is None where rows of the lab give it again.

    `typed` is what a person wrote for it: where that asks for help, the site answers.
    """

    model: str
    ask: Callable[[], Seen[T]]
    settings: dict[str, Any]
    seed: int = 0
    prompt: str | list[dict[str, Any]] | None = None
    typed: str = ""


@dataclass(slots=True)
class _Job(runs.Job[Generation], Generic[T]):
    """One look on its way."""

    look: Look[T]
    record: Record = field(default_factory=Record)
    seen: Seen[T] | None = None

    def play(self) -> Iterator[events.Event]:
        """Ask once; nothing is told before it is there."""
        started = time.monotonic()
        seen = self.look.ask()
        self.record.reply = storable(seen.reply)
        self.record.completion = llm.Completion(
            text=seen.reply,
            model=self.look.model,
            finish_reason="stop",
            prompt_tokens=seen.prompt_tokens,
            completion_tokens=seen.reply_tokens,
            first_token_ms=0,
            ms=round(1000 * (time.monotonic() - started)),
        )
        self.seen = seen
        yield from ()


def look(services: Services, *, player_id: int, wanted: Look[T]) -> T | SiteAnswer:
    """Ask a model, and wait; the site answers instead where somebody needs help.

    Raises QuotaExceeded before anything is recorded, and BackendError for what failed.
    """
    answer = answer_to(wanted.typed, services.content.current().help_texts)
    job = _Job(wanted)

    def prepare(session: Session, player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature=LAB,
            prompt=wanted.prompt,
            settings=wanted.settings,
            seed=wanted.seed,
        )
        return runs.Begun(row, job)

    run = runs.begin(
        services,
        player_id=player_id,
        what="runs in the lab",
        limits=lambda settings: (
            Limit("player", "minute", settings.lab_runs_per_minute),
            Limit("player", "day", settings.lab_runs_per_day),
        ),
        model=wanted.model,
        typed=wanted.typed,
        prepare=prepare,
        answer=answer,
    )
    with closing(run):
        failures = [event for event in run if isinstance(event, events.ErrorEvent)]
    if answer is not None:
        return answer
    if failures or job.seen is None:
        message = failures[0].message if failures else runs.BROKEN
        code = failures[0].code if failures else None
        raise BackendError(message, code=code)
    return job.seen.found
