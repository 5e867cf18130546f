"""Quotas, counted in the transaction that uses them up."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.db import insert_missing
from webapp.errors import QuotaExceeded
from webapp.rows import Usage

_SECONDS = {"minute": 60, "day": 86_400}
_FORMATS = {"minute": "%Y-%m-%dT%H:%M", "day": "%Y-%m-%d"}


def spend(
    session: Session,
    *,
    now: datetime,
    what: str,
    scope: str,
    scope_id: int,
    period: str,
    limit: int,
) -> None:
    """Count one use by a player or class in this minute or day (UTC).

    Raise QuotaExceeded, which names the scope, when the limit is reached.
    """
    key = (f"{what}:{scope}:{scope_id}", now.strftime(_FORMATS[period]))
    insert_missing(session, Usage, scope=key[0], period=key[1], count=0)
    row = session.scalars(
        select(Usage)
        .where(Usage.scope == key[0], Usage.period == key[1])
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.count >= limit:
        raise _exceeded(what, scope, period, limit, now)
    row.count += 1


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete counters of past periods."""
    oldest = (now - timedelta(days=2)).strftime(_FORMATS["day"])
    session.execute(delete(Usage).where(Usage.period < oldest))


def _exceeded(
    what: str, scope: str, period: str, limit: int, now: datetime
) -> QuotaExceeded:
    seconds = _SECONDS[period]
    wait = seconds - int(now.timestamp()) % seconds
    whose = {"player": "You have", "class": "Your class has"}[scope]
    seconds_left = "1 second" if wait == 1 else f"{wait} seconds"
    again = f"in {seconds_left}" if period == "minute" else "tomorrow (UTC)"
    return QuotaExceeded(
        f"{whose} used all {limit} {what} of this {period}. Try again {again}.",
        scope=f"{scope}/{period}",
        retry_after=wait,
    )
