"""Quotas, counted in the transaction that uses them up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.db import insert_missing
from webapp.errors import QuotaExceeded
from webapp.rows import Usage

_SECONDS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
# Each as long as no other, so that a period says what kind it is.
_FORMATS: Final = {"minute": "%Y-%m-%dT%H:%M", "hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d"}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` uses in a period, by whom `scope` says.

    A share is what one player may use of that which the class has together. It and
    the limit of a class do not concern those who have no class.
    """

    scope: Literal["player", "share", "class"]
    period: Literal["minute", "hour", "day"]
    count: int


@dataclass(frozen=True, slots=True)
class User:
    """Who uses something up, and of which class; None for who has none."""

    player_id: int
    class_id: int | None


def spend(
    session: Session,
    *,
    now: datetime,
    user: User,
    what: str,
    limits: Iterable[Limit],
    amount: int = 1,
) -> None:
    """Count `amount` uses of `what` under each limit, in its current period (UTC).

    Raise QuotaExceeded, which names the scope, when a limit would be passed.
    """
    for limit in limits:
        if limit.scope == "player" or user.class_id is not None:
            whose = user.class_id if limit.scope == "class" else user.player_id
            scope = f"{what}:{limit.scope}:{whose}"
            _spend(session, now, what, limit, scope, amount)


def count_up(
    session: Session, *, now: datetime, what: str, user: User, amount: int
) -> None:
    """Count what has been used of this day, by a player and a class, unlimited."""
    period = now.strftime(_FORMATS["day"])
    for whose in (f"player:{user.player_id}", f"class:{user.class_id}"):
        _row(session, f"{what}:{whose}", period).count += amount


def used_of_day(
    session: Session, *, now: datetime, scopes: Iterable[str]
) -> dict[str, int]:
    """Return what was used on this day (UTC) by scopes such as "attempts:player:7"."""
    period = now.strftime(_FORMATS["day"])
    rows = session.execute(
        select(Usage.scope, Usage.count).where(
            Usage.period == period, Usage.scope.in_(list(scopes))
        )
    )
    return {row[0]: row[1] for row in rows}


def used_today(session: Session, *, now: datetime, player_id: int, what: str) -> int:
    """Return how much of `what` a player has used up on this day (UTC)."""
    row = _of_today(session, now, player_id, what)
    return 0 if row is None else row.count


def give_back(
    session: Session, *, now: datetime, player_id: int, what: str, amount: int
) -> None:
    """Count less of what a player has used up on this day: it was not needed."""
    row = _of_today(session, now, player_id, what)
    if row is not None:
        row.count = max(0, row.count - amount)


def _of_today(
    session: Session, now: datetime, player_id: int, what: str
) -> Usage | None:
    period = now.strftime(_FORMATS["day"])
    return _locked(session, f"{what}:player:{player_id}", period)


def _spend(
    session: Session,
    now: datetime,
    what: str,
    limit: Limit,
    scope: str,
    amount: int,
) -> None:
    row = _row(session, scope, now.strftime(_FORMATS[limit.period]))
    if row.count + amount > limit.count:
        raise exceeded(what, limit, now)
    row.count += amount


def _row(session: Session, scope: str, period: str) -> Usage:
    """Return the counter of a period, which no one else can change meanwhile."""
    row = _locked(session, scope, period)
    if row is None:
        insert_missing(session, Usage, scope=scope, period=period, count=0)
        row = _locked(session, scope, period)
        if row is None:
            raise LookupError(f"no counter {scope} of {period}")
        _forget_past(session, row)
    return row


def _locked(session: Session, scope: str, period: str) -> Usage | None:
    return session.scalars(
        select(Usage)
        .where(Usage.scope == scope, Usage.period == period)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def _forget_past(session: Session, current: Usage) -> None:
    """Delete the counters of the periods before this one."""
    session.execute(
        delete(Usage).where(
            Usage.scope == current.scope,
            Usage.period < current.period,
            func.length(Usage.period) == len(current.period),
        )
    )


def exceeded(what: str, limit: Limit, now: datetime) -> QuotaExceeded:
    """Return what to say when a limit is used up, with the wait until it is not."""
    seconds = _SECONDS[limit.period]
    wait = seconds - int(now.timestamp()) % seconds
    used = f"{limit.count} {what} of this {limit.period}"
    told = {
        "player": f"You have used all {used}.",
        "share": f"You have used your share of what your class has: {used}.",
        "class": f"Your class has used all {used}.",
    }[limit.scope]
    return QuotaExceeded(
        f"{told} Try again {_when(limit, wait)}.",
        scope=f"{limit.scope}/{limit.period}",
        retry_after=wait,
    )


def _when(limit: Limit, wait: int) -> str:
    if limit.period == "day":
        return "tomorrow (UTC)"
    # Rounded up: a minute too late is better than one too early.
    count, unit = (-(-wait // 60), "minute") if wait > 60 else (wait, "second")
    return f"in {count} {unit if count == 1 else f'{unit}s'}"
