"""Quotas, counted in the transaction that uses them up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.db import insert_missing
from webapp.errors import QuotaExceeded
from webapp.rows import Player, Usage

_SECONDS = {"minute": 60, "day": 86_400}
_FORMATS = {"minute": "%Y-%m-%dT%H:%M", "day": "%Y-%m-%d"}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` uses by the player, or by the whole class, in a minute or day."""

    scope: Literal["player", "class"]
    period: Literal["minute", "day"]
    count: int


def spend(
    session: Session,
    *,
    now: datetime,
    player: Player,
    what: str,
    limits: Iterable[Limit],
) -> None:
    """Count one use of `what` under each limit, in this minute or day (UTC).

    Raise QuotaExceeded, which names the scope, when a limit is reached.
    """
    for limit in limits:
        scope_id = player.id if limit.scope == "player" else player.class_id
        _spend(session, now, what, limit, scope_id)


def _spend(
    session: Session, now: datetime, what: str, limit: Limit, scope_id: int
) -> None:
    scope = f"{what}:{limit.scope}:{scope_id}"
    period = now.strftime(_FORMATS[limit.period])
    insert_missing(session, Usage, scope=scope, period=period, count=0)
    row = session.scalars(
        select(Usage)
        .where(Usage.scope == scope, Usage.period == period)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.count >= limit.count:
        raise _exceeded(what, limit, now)
    row.count += 1


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete counters of past periods."""
    oldest = (now - timedelta(days=2)).strftime(_FORMATS["day"])
    session.execute(delete(Usage).where(Usage.period < oldest))


def _exceeded(what: str, limit: Limit, now: datetime) -> QuotaExceeded:
    seconds = _SECONDS[limit.period]
    wait = seconds - int(now.timestamp()) % seconds
    whose = {"player": "You have", "class": "Your class has"}[limit.scope]
    seconds_left = "1 second" if wait == 1 else f"{wait} seconds"
    again = f"in {seconds_left}" if limit.period == "minute" else "tomorrow (UTC)"
    return QuotaExceeded(
        f"{whose} used all {limit.count} {what} of this {limit.period}. "
        f"Try again {again}.",
        scope=f"{limit.scope}/{limit.period}",
        retry_after=wait,
    )
