"""What a player may know of an attempt: the one place that decides it.

A level says how much its guards show (`show_guards`): none; stage, which guard and
when; full, also score and reason. After the win everything is shown, times as well. A
reply that a guard held back is shown and found after the win only. The stream of an
attempt, pages, API, search and exports all ask here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, or_

from webapp.content.index import Index
from webapp.content.schema import Level, ShowGuards
from webapp.errors import NotFound
from webapp.plugins.guard import Stage
from webapp.rows import FAILED, FINISHED, HELPED, REFUSED, STOPPED, Attempt

# How a guard is called where guards are not shown.
HIDDEN_GUARD: Final = "guard"
# What an attempt shows of its guards once its level has left the content.
_UNKNOWN: Final[ShowGuards] = "stage"
# What is stored of these replies, whole or in part, the player has read already: a
# reply that fails is stored only where no output guard was to come.
_READ: Final = (FINISHED, STOPPED, FAILED, HELPED, REFUSED)


@dataclass(frozen=True, slots=True)
class Shown:
    """A verdict, cut down to what may be known of it; the rest is None."""

    guard: str
    stage: Stage
    allowed: bool
    score: float | None
    reason: str | None
    ms: int | None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What may be known of attempts at a level, before or after the win."""

    show: ShowGuards
    is_solved: bool = False

    @property
    def names_guards(self) -> bool:
        """Whether guards are shown at all."""
        return self._extent != "none"

    @property
    def has_grounds(self) -> bool:
        """Whether it is told what verdicts rest on: that quotes the reply."""
        return self.is_solved

    def blocked_by(self, guard: str | None) -> str | None:
        """Return how the guard that blocked is called, if one did."""
        return guard if guard is None or self.names_guards else HIDDEN_GUARD

    def verdict(self, row: dict[str, Any]) -> Shown | None:
        """Return what is shown of a verdict as it is stored."""
        if not self.names_guards:
            return None
        is_full = self._extent == "full"
        return Shown(
            guard=row["guard"],
            stage=row["stage"],
            allowed=row["allowed"],
            score=row["score"] if is_full else None,
            reason=row["reason"] if is_full else None,
            ms=self.ms(row["ms"]),
        )

    def ms(self, ms: int | None) -> int | None:
        """Return how long something took, after the win.

        Before it, the time of an attempt may tell how far it got, and that of a guard
        which compares with the password something of the password.
        """
        return ms if self.is_solved else None

    def reply(self, status: str, reply: str | None) -> str | None:
        """Return the reply of an attempt with this status, unless it was held back."""
        return reply if self.is_solved or status in _READ else None

    def thoughts(self, thoughts: str | None) -> str | None:
        """Return what the model thought: no guard has read it, and it knows all."""
        return thoughts if self.is_solved else None

    @property
    def _extent(self) -> ShowGuards:
        return "full" if self.is_solved else self.show


def of_stream(level: Level) -> Disclosure:
    """Return what may be known while an attempt happens, whether won before or not."""
    return Disclosure(level.show_guards)


def of_attempt(row: Attempt, *, index: Index, solved: Container[str]) -> Disclosure:
    """Return what may be known of an attempt by its player, who has won `solved`."""
    try:
        show = index.level(row.level_id).show_guards
    except NotFound:
        show = _UNKNOWN
    return Disclosure(show, row.level_id in solved)


def is_readable(solved: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition under which a reply may be found by its words.

    It is `Disclosure.reply`, for the database.
    """
    return or_(Attempt.status.in_(_READ), Attempt.level_id.in_(tuple(solved)))
