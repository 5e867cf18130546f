"""Who tries and gets no further: where, since when, and with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.domain.learn.diary import texts_of
from webapp.domain.play import guard_names
from webapp.domain.services import Services
from webapp.domain.teach.covering import cover
from webapp.domain.teach.facts import Facts, Person, lesson_ids
from webapp.errors import NotFound
from webapp.rows import (
    ATTEMPT,
    COUNTED,
    PANEL,
    Attempt,
    Generation,
    Practice,
    Visit,
)

# Who has done nothing for so long has gone, and is not stuck.
ACTIVE: Final = timedelta(minutes=30)
# So long without progress is stuck.
NO_PROGRESS: Final = timedelta(minutes=10)
SHOWN: Final = 12
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """Something that was tried: `text` is None while it must not be read by others.

    `came` says what came of it, in a few words.
    """

    at: datetime
    text: str | None
    came: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """A student who is stuck at a gate, or at a panel of a lesson (`panel`)."""

    person: Person
    where: str
    title: str
    panel: str | None
    since: datetime
    last_at: datetime
    tries: int
    tried: tuple[Tried, ...] = ()


def stuck(known: Facts, index: Index, now: datetime) -> tuple[Stuck, ...]:
    """Return who is stuck where they were last active, the longest first."""
    newest: dict[int, Stuck | None] = {}
    times: dict[int, datetime] = {}
    people = {person.id: person for person in known.people}
    for player, at, found in _places(known, index, people):
        if player not in times or at > times[player]:
            times[player], newest[player] = at, found
    return tuple(
        sorted(
            (
                one
                for one in newest.values()
                if one is not None
                and one.last_at >= now - ACTIVE
                and one.since <= now - NO_PROGRESS
            ),
            key=lambda one: one.since,
        )
    )


def _places(
    known: Facts, index: Index, people: dict[int, Person]
) -> Iterator[tuple[int, datetime, Stuck | None]]:
    """Yield where each player was active, and when; None where it is done."""
    for (player, level_id), gate in known.gates.items():
        won = known.won.get((player, level_id))
        if won is not None:
            yield player, max(won.at, gate.last_at), None
            continue
        yield (
            player,
            gate.last_at,
            Stuck(
                person=people[player],
                where=level_id,
                title=_gate_title(index, level_id),
                panel=None,
                since=gate.progress_at,
                last_at=gate.last_at,
                tries=gate.attempts,
            ),
        )
    for (player, lesson_id, panel), state in known.panels.items():
        if state.run_at is None:
            continue
        is_open = state.passed_at is None and state.progress_at is not None
        yield (
            player,
            state.run_at,
            Stuck(
                person=people[player],
                where=lesson_id,
                title=_lesson_title(index, lesson_id),
                panel=panel,
                since=state.progress_at or state.run_at,
                last_at=state.run_at,
                tries=state.runs,
            )
            if is_open
            else None,
        )


def with_tries(
    session: Session, services: Services, found: Sequence[Stuck], *, season: int
) -> tuple[Stuck, ...]:
    """Return the same with the last things that each has tried."""
    at_gates = [one for one in found if one.panel is None]
    in_lessons = [one for one in found if one.panel is not None]
    messages = _messages(session, services, at_gates, season)
    runs = _runs(session, services, in_lessons)
    return tuple(
        replace(one, tried=(messages if one.panel is None else runs)[one.person.id])
        for one in found
    )


def _messages(
    session: Session, services: Services, found: Sequence[Stuck], season: int
) -> dict[int, tuple[Tried, ...]]:
    tried: dict[int, list[Tried]] = {one.person.id: [] for one in found}
    newest = [
        select(Generation.id)
        .select_from(Attempt)
        .join(Visit, Visit.id == Attempt.visit_id)
        .where(
            Generation.player_id == one.person.id,
            Generation.feature == ATTEMPT,
            Generation.status.in_(COUNTED),
            Attempt.level_id == one.where,
            Visit.season == season,
        )
        for one in found
    ]
    if not newest:
        return {}
    rows = session.scalars(
        select(Attempt)
        .where(Generation.id.in_(_last_of_each(newest)))
        .order_by(Generation.id.desc())
    ).all()
    covered = cover(
        session, services, [row.visit_id for row in rows], has_replies=False
    )
    index = services.content.current()
    for row in rows:
        is_hidden = covered.hides(row.visit_id, row.message)
        tried[row.player_id or 0].append(
            Tried(
                row.created_at,
                None if is_hidden else row.message,
                _what_came(index, row),
            )
        )
    return {player: tuple(of_one) for player, of_one in tried.items()}


def _what_came(index: Index, row: Attempt) -> str:
    name = stopped_by(index, row)
    return f"stopped by {name}" if name else "answered"


def stopped_by(index: Index, row: Attempt) -> str | None:
    """Return how the guard is called that stopped an attempt; None if none did."""
    if row.blocked_by is None:
        return None
    try:
        level = index.level(row.level_id)
    except NotFound:
        level = None
    named = guard_names.of_verdicts(level, row.verdicts)
    for verdict, guard in zip(row.verdicts, named, strict=True):
        if not verdict["allowed"]:
            return guard.name
    return guard_names.SOME_GUARD


def _runs(
    session: Session, services: Services, found: Sequence[Stuck]
) -> dict[int, tuple[Tried, ...]]:
    index = services.content.current()
    names: dict[str, list[str]] = {}
    for name, now in lesson_ids(index).items():
        names.setdefault(now, []).append(name)
    tried: dict[int, list[Tried]] = {one.person.id: [] for one in found}
    newest = [
        select(Generation.id)
        .select_from(Practice)
        .where(
            Generation.player_id == one.person.id,
            Generation.feature == PANEL,
            Practice.lesson_id.in_(names.get(one.where, [one.where])),
            Practice.panel == one.panel,
            Practice.result.is_not(None),
        )
        for one in found
    ]
    if not newest:
        return {}
    rows = session.scalars(
        select(Practice)
        .where(Generation.id.in_(_last_of_each(newest)))
        .order_by(Generation.id.desc())
    )
    for row in rows:
        text = "\n".join(filter(None, _typed(index, row)))
        told = str((row.outcome or {}).get("message", ""))
        tried[row.player_id or 0].append(Tried(row.created_at, text, told))
    return {player: tuple(of_one) for player, of_one in tried.items()}


def _last_of_each(newest: Sequence[Select[int]]) -> Any:
    """Return the last few ids of each question, asked as one."""
    each = [
        select(one.order_by(Generation.id.desc()).limit(TRIES).subquery())
        for one in newest
    ]
    return union_all(*each) if len(each) > 1 else each[0]


def _typed(index: Index, row: Practice) -> tuple[str, ...]:
    try:
        panels = index.lesson(row.lesson_id).panels
    except NotFound:
        panels = ()
    panel = next((one for one in panels if one.name == row.panel), None)
    return texts_of(panel, row.typed)


def _gate_title(index: Index, level_id: str) -> str:
    try:
        return index.level(level_id).title
    except NotFound:
        return level_id


def _lesson_title(index: Index, lesson_id: str) -> str:
    try:
        return index.lesson(lesson_id).info.title
    except NotFound:
        return lesson_id
