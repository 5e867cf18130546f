"""Attempts as their player may see them, before and after the win."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.content.index import Index
from webapp.content.schema import Level
from webapp.domain.play import disclosure, guard_names
from webapp.domain.play.disclosure import Disclosure
from webapp.domain.play.grounds import GroundsView, grounds_view
from webapp.errors import NotFound
from webapp.plugins.guard import Stage
from webapp.rows import Attempt


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict; score, reason and ms are None where the level hides them.

    `guard` is the kind of guard, `guard_name` how the level calls it, and `guard_term`
    what the field does. `grounds` are what a guard model's verdict is based on, after
    the win.
    """

    guard: str
    guard_name: str
    guard_term: str
    stage: Stage
    allowed: bool
    score: float | None
    reason: str | None
    ms: int | None
    grounds: GroundsView | None = None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt. `reply` is None if it was blocked or never came.

    `ms` is None where the level does not show times. `thoughts` are those of a model
    that thinks before it replies, after the win.
    """

    id: int
    level_id: str
    level_title: str
    visit_id: int
    created_at: datetime
    message: str
    reply: str | None
    status: str
    blocked_by: str | None
    verdicts: tuple[VerdictView, ...]
    note: str
    model: str
    ms: int | None
    error: str | None
    thoughts: str | None = None

    @property
    def stopped_by(self) -> str:
        """How the guard that stopped it is called."""
        stopped = (v.guard_name for v in self.verdicts if not v.allowed)
        return next(stopped, guard_names.SOME_GUARD)

    @property
    def by_models(self) -> tuple[VerdictView, ...]:
        """The verdicts of guard models, with what they are based on."""
        return tuple(verdict for verdict in self.verdicts if verdict.grounds)

    @property
    def is_marked(self) -> bool:
        """Whether all guard models have said which words mattered."""
        return all(v.grounds.marked for v in self.verdicts if v.grounds)

    @property
    def has_marks(self) -> bool:
        """Whether there is a marked word, so that marks are worth an explanation."""
        marked = (v.grounds.marked for v in self.verdicts if v.grounds)
        return any(text.strongest for text in marked if text)

    def as_dict(self) -> dict[str, Any]:
        """Return the attempt as it is exported."""
        return {
            "id": self.id,
            "level": self.level_id,
            "visit": self.visit_id,
            "created_at": self.created_at.isoformat(),
            "message": self.message,
            "reply": self.reply,
            "thoughts": self.thoughts,
            "status": self.status,
            "blocked_by": self.blocked_by,
            "stages": [
                {
                    "guard": v.guard,
                    "guard_name": v.guard_name,
                    "guard_term": v.guard_term,
                    "stage": v.stage,
                    "allowed": v.allowed,
                    "score": v.score,
                    "reason": v.reason,
                    "ms": v.ms,
                    "grounds": v.grounds and v.grounds.as_dict(),
                }
                for v in self.verdicts
            ],
            "note": self.note,
            "model": self.model,
            "ms": self.ms,
        }


def attempt_views(
    rows: Iterable[Attempt],
    *,
    index: Index,
    solved: Iterable[str],
) -> tuple[AttemptView, ...]:
    """Return rows as the player may see them: all of it for levels in `solved`."""
    known = frozenset(solved)
    return tuple(_view(row, index, known) for row in rows)


def _view(row: Attempt, index: Index, solved: frozenset[str]) -> AttemptView:
    known = disclosure.of_attempt(row, index=index, solved=solved)
    level = _level(row.level_id, index)
    return AttemptView(
        id=row.id,
        level_id=row.level_id,
        level_title=level.title if level else row.level_id,
        visit_id=row.visit_id,
        created_at=row.created_at,
        message=row.message,
        reply=known.reply(row.status, row.reply),
        status=row.status,
        blocked_by=known.blocked_by(row.blocked_by),
        verdicts=tuple(_verdicts(row, known, level)),
        note=row.note,
        model=row.model,
        ms=known.ms(row.ms),
        error=row.error,
        thoughts=known.thoughts(row.thoughts),
    )


def _level(level_id: str, index: Index) -> Level | None:
    try:
        return index.level(level_id)
    except NotFound:
        return None


def _verdicts(
    row: Attempt, known: Disclosure, level: Level | None
) -> Iterator[VerdictView]:
    judged = {"input": row.message, "output": row.reply or ""}
    named = guard_names.of_verdicts(level, row.verdicts)
    for verdict, guard in zip(row.verdicts, named, strict=True):
        shown = known.verdict(verdict)
        if shown is None:
            continue
        yield VerdictView(
            guard=shown.guard,
            guard_name=guard.name,
            guard_term=guard.term,
            stage=shown.stage,
            allowed=shown.allowed,
            score=shown.score,
            reason=shown.reason,
            ms=shown.ms,
            grounds=(
                grounds_view(verdict.get("grounds"), judged[shown.stage])
                if known.has_grounds
                else None
            ),
        )
