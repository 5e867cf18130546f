"""A conversation: what of it the model is shown, and when it is over.

Play, calibration and marking ask here, so that all of them play by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.errors import Conflict
from webapp.plugins.asking import Exchange
from webapp.rows import COUNTED, FINISHED, IS_RUNNING, Attempt, Visit


class Said(NamedTuple):
    """A message of a conversation and what came of it."""

    message: str
    reply: str | None
    status: str


def history(turns: int, said: Iterable[Said]) -> tuple[Exchange, ...]:
    """Return the earlier exchanges that the model of a level of `turns` is shown.

    They are those whose reply the player got in full; none where each message stands
    alone.
    """
    if turns == 1:
        return ()
    return tuple(
        Exchange(one.message, one.reply or "") for one in said if one.status == FINISHED
    )


def turns_left(level: Level, used: int) -> int | None:
    """Return how many more messages are allowed; None where each stands alone."""
    turns = level.defender.turns
    return None if turns == 1 else max(0, turns - used)


def suspicion_left(level: Level, blocks: int) -> int | None:
    """Return how many more blocks the visit survives; None without a budget."""
    return None if level.suspicion is None else max(0, level.suspicion - blocks)


def is_over(level: Level, *, used: int, blocks: int) -> bool:
    """Tell whether turns or suspicion are used up.

    A level of one turn has no memory, but one may write to it as often as one likes.
    """
    return turns_left(level, used) == 0 or suspicion_left(level, blocks) == 0


def visit_history(
    session: Session, *, visit_id: int, turns: int, before: Attempt | None = None
) -> tuple[Exchange, ...]:
    """Return the history of a visit; with `before`, as that attempt was sent it."""
    if turns == 1:
        return ()
    said = (
        select(Attempt.message, Attempt.reply, Attempt.status)
        .where(Attempt.visit_id == visit_id, Attempt.status == FINISHED)
        .order_by(Attempt.id)
    )
    if before is not None:
        said = said.where(
            Attempt.id < before.id, Attempt.finished_at <= before.created_at
        )
    return history(turns, (Said(*row) for row in session.execute(said)))


def require_next(session: Session, level: Level, visit: Visit) -> None:
    """Raise Conflict unless a visit may have one more message now.

    `turns_used` when the turns are up; `still_running` while a message is being
    answered that this one would build on, or that may use up what is left of the
    suspicion budget.
    """
    running = _count(session, visit, is_running=True)
    left = suspicion_left(level, visit.blocks)
    if left is not None and 0 < left <= running:
        raise _wait_for_other()
    if level.defender.turns == 1:
        return
    # Neither the model nor a guard over the visit would see the other message.
    if running:
        raise _wait_for_other()
    if visit_turns_left(session, level, visit) == 0:
        raise Conflict(
            f"This conversation has used its {level.defender.turns} turns. Start "
            "over for a new one; the warden will then guard a new password.",
            code="turns_used",
        )


def visit_turns_left(session: Session, level: Level, visit: Visit | None) -> int | None:
    """Return how many more messages fit into a visit, or into one yet to come."""
    if visit is None or level.defender.turns == 1:
        return turns_left(level, 0)
    return turns_left(level, _count(session, visit))


def visit_suspicion_left(level: Level, visit: Visit | None) -> int | None:
    """Return how many more blocks a visit survives, or one yet to come."""
    return suspicion_left(level, visit.blocks if visit else 0)


def _count(session: Session, visit: Visit, *, is_running: bool = False) -> int:
    """Count the messages that are being answered, or those that used up a turn."""
    which = IS_RUNNING if is_running else Attempt.status.in_(COUNTED)
    query = select(func.count(Attempt.id)).where(Attempt.visit_id == visit.id, which)
    return session.scalar(query) or 0


def _wait_for_other() -> Conflict:
    return Conflict(
        "Another message in this conversation is still being answered. Wait for it.",
        code="still_running",
    )
