"""Attempts as their player may see them, before and after the win."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.content.index import Index
from webapp.content.schema import ShowGuards
from webapp.domain.play.attack import HIDDEN_GUARD
from webapp.domain.play.grounds import GroundsView, grounds_view
from webapp.errors import NotFound
from webapp.plugins.guard import Stage
from webapp.rows import FAILED, FINISHED, STOPPED, Generation

# What an attempt shows of its guards once its level has left the content.
_UNKNOWN: ShowGuards = "stage"
# What is stored of these replies, whole or in part, the player has read already: a
# reply that fails is stored only where no output guard was to come.
SHOWN = (FINISHED, STOPPED, FAILED)


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict; score, reason and ms are None where the level hides them.

    `grounds` are what a guard model's verdict rests on, after the win.
    """

    guard: str
    stage: Stage
    allowed: bool
    score: float | None
    reason: str | None
    ms: int | None
    grounds: GroundsView | None = None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt. `reply` is None if it was blocked or never came."""

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

    @property
    def by_models(self) -> tuple[VerdictView, ...]:
        """The verdicts of guard models, with what they rest on."""
        return tuple(verdict for verdict in self.verdicts if verdict.grounds)

    @property
    def is_marked(self) -> bool:
        """Whether all guard models have said which words counted."""
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
            "status": self.status,
            "blocked_by": self.blocked_by,
            "stages": [
                {
                    "guard": v.guard,
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
    rows: Iterable[Generation], *, index: Index, solved: Iterable[str]
) -> tuple[AttemptView, ...]:
    """Return rows as the player may see them: all of it for levels in `solved`."""
    known = set(solved)
    return tuple(_view(row, index, is_solved=row.level_id in known) for row in rows)


def _view(row: Generation, index: Index, *, is_solved: bool) -> AttemptView:
    show: ShowGuards
    try:
        level = index.level(row.level_id)
        title, show = level.title, level.show_guards
    except NotFound:
        title, show = row.level_id, _UNKNOWN
    if is_solved:
        show = "full"
    is_readable = is_solved or row.status in SHOWN
    blocked_by = row.blocked_by
    if blocked_by is not None and show == "none":
        blocked_by = HIDDEN_GUARD
    return AttemptView(
        id=row.id,
        level_id=row.level_id,
        level_title=title,
        visit_id=row.visit_id,
        created_at=row.created_at,
        message=row.message,
        reply=row.reply if is_readable else None,
        status=row.status,
        blocked_by=blocked_by,
        verdicts=_verdicts(row, show, is_solved=is_solved),
        note=row.note,
        model=row.model,
        ms=row.ms,
        error=row.error,
    )


def _verdicts(
    row: Generation, show: ShowGuards, *, is_solved: bool
) -> tuple[VerdictView, ...]:
    if show == "none":
        return ()
    is_full = show == "full"
    judged = {"input": row.message, "output": row.reply or ""}
    return tuple(
        VerdictView(
            guard=verdict["guard"],
            stage=verdict["stage"],
            allowed=verdict["allowed"],
            score=verdict["score"] if is_full else None,
            reason=verdict["reason"] if is_full else None,
            ms=verdict["ms"] if is_full else None,
            # They quote the reply, and scores are a hint: not before the win.
            grounds=(
                grounds_view(verdict.get("grounds"), judged[verdict["stage"]])
                if is_solved
                else None
            ),
        )
        for verdict in row.verdicts
    )
