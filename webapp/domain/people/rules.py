"""What holds for a class: what is open or closed, its clock, and whether play waits.

Staff are never restricted. What a class does not see is, for its players, as if it did
not exist.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson
from webapp.content.schema import Level
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.rows import (
    CLOSED,
    GATE,
    HINTS,
    OPEN,
    PLAYER,
    TRACK_RULE,
    Audience,
    ClassRule,
    Player,
    SchoolClass,
)

State = Literal["open", "closed"]
Thing = tuple[str, str]

# How long a clock that has run down still says so.
SHOWN_AFTER: Final = timedelta(minutes=5)
NO_HINTS: Final = "Your instructor has closed the hints for now. Try on your own first."


class Clock(NamedTuple):
    """A clock that counts down for a class."""

    title: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """What an instructor has said of a thing, and until when; None: for good."""

    state: State
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a player at one moment.

    `spans` are the rules that hold now, by kind and id. `unseen` is what only other
    classes see. `paused` is the sentence that everybody is to look at.
    """

    now: datetime
    spans: Mapping[Thing, Span] = field(default_factory=dict)
    unseen: frozenset[Thing] = frozenset()
    paused: str | None = None
    clock: Clock | None = None

    def gate(self, level_id: str) -> State | None:
        """Return what an instructor has made of a gate; None: as the content says."""
        return self._state(GATE, level_id)

    def track(self, track_id: str) -> State | None:
        """Return what an instructor has made of a track."""
        return self._state(TRACK_RULE, track_id)

    def hints(self) -> State | None:
        """Return what an instructor has made of all hints."""
        return self._state(HINTS, "")

    def changes_at(self, kind: str, thing: str) -> datetime | None:
        """Return when the rule about a thing ends; None without one, or for good."""
        span = self.spans.get((kind, thing))
        return span.until if span else None

    def sees(self, kind: str, thing: str) -> bool:
        """Tell whether the class sees a ladder, level, track or lesson."""
        return (kind, thing) not in self.unseen

    def sees_level(self, index: Index, level_id: str) -> bool:
        """Tell whether the class sees a level, and the ladder that it is in."""
        ladder = index.ladder_of(level_id)
        return self.sees("level", level_id) and self.sees("ladder", ladder)

    def sees_lesson(self, lesson: Lesson) -> bool:
        """Tell whether the class sees a lesson, and the track that it is in."""
        return self.sees("lesson", lesson.id) and self.sees("track", lesson.track)

    def missing(
        self, index: Index, level: Level, solved: Collection[str]
    ) -> tuple[str, ...]:
        """Return the ids of the levels to win before one opens; none if it is open.

        A level that the class does not see is not asked for.
        """
        if self.gate(level.id) == OPEN:
            return ()
        return tuple(
            name
            for name in level.after
            if name not in solved and self.sees_level(index, name)
        )

    def next_level(
        self, index: Index, level_id: str, solved: Collection[str]
    ) -> str | None:
        """Return the next level of the ladder that can be won; after the last, of all.

        Several may be open side by side, and the one that follows may not be.
        """
        names = index.ladder(index.ladder_of(level_id)).levels
        at = names.index(level_id)
        for name in (*names[at + 1 :], *names[:at]):
            level = index.level(name)
            if (
                name not in solved
                and self.sees_level(index, name)
                and self.gate(name) != CLOSED
                and not self.missing(index, level, solved)
            ):
                return name
        return None

    def require_level(self, index: Index, level: Level) -> None:
        """Raise NotFound for a level not seen, Forbidden (`closed`) for one shut."""
        if not self.sees_level(index, level.id):
            raise NotFound("There is no such level.")
        if self.gate(level.id) == CLOSED:
            raise self._closed(GATE, level.id, level.title)

    def require_lesson(self, index: Index, lesson: Lesson) -> None:
        """Raise NotFound for a lesson not seen, Forbidden if its track is closed."""
        if not self.sees_lesson(lesson):
            raise NotFound("There is no such lesson.")
        if self.track(lesson.track) == CLOSED:
            title = next(
                track.info.title for track in index.tracks if track.id == lesson.track
            )
            raise self._closed(TRACK_RULE, lesson.track, title)

    def require_hints(self) -> None:
        """Raise Forbidden (`closed`) while hints are closed."""
        if self.hints() == CLOSED:
            raise Forbidden(NO_HINTS, code="closed")

    def _state(self, kind: str, thing: str) -> State | None:
        span = self.spans.get((kind, thing))
        return span.state if span else None

    def _closed(self, kind: str, thing: str, title: str) -> Forbidden:
        opens = self.changes_at(kind, thing)
        when = (
            "Your instructor will open it."
            if opens is None
            else f"It opens in {_in_words(opens - self.now)}."
        )
        return Forbidden(f"“{title}” is closed for your class. {when}", code="closed")


def of_player(session: Session, services: Services, player: Player) -> Rules:
    """Return what holds for a player now: nothing, for staff."""
    now = services.now()
    if player.role != PLAYER:
        return Rules(now)
    row = session.get_one(SchoolClass, player.class_id)
    return Rules(
        now=now,
        spans=_spans(session, row.id, now),
        unseen=_unseen(session, row.id),
        paused=row.look_here,
        clock=running_clock(row, now),
    )


def require_playing(session: Session, player: Player) -> None:
    """Raise Conflict (`paused`) with the sentence that everybody is to look at.

    Staff go on.
    """
    told = session.get_one(SchoolClass, player.class_id).look_here
    if told is not None and player.role == PLAYER:
        raise Conflict(
            f"{told} (Your instructor has paused play. Send it again afterwards.)",
            code="paused",
        )


def of_id(session: Session, services: Services, player_id: int | None) -> Rules:
    """Return what holds for a player by id, or for somebody without an account."""
    player = None if player_id is None else session.get(Player, player_id)
    if player is not None:
        return of_player(session, services, player)
    return Rules(services.now(), unseen=_unseen(session, None))


def running_clock(row: SchoolClass, now: datetime) -> Clock | None:
    """Return the clock of a class, until a little after its end."""
    if row.clock_ends_at is None or now >= row.clock_ends_at + SHOWN_AFTER:
        return None
    return Clock(row.clock_title or "", row.clock_ends_at)


def _spans(session: Session, class_id: int, now: datetime) -> dict[Thing, Span]:
    rows = session.scalars(
        select(ClassRule).where(
            ClassRule.class_id == class_id,
            ClassRule.state.in_((OPEN, CLOSED)),
            or_(ClassRule.since.is_(None), ClassRule.since <= now),
            or_(ClassRule.until.is_(None), ClassRule.until > now),
        )
    )
    return {
        (row.kind, row.thing): Span(cast("State", row.state), row.until) for row in rows
    }


def _unseen(session: Session, class_id: int | None) -> frozenset[Thing]:
    rows = session.scalars(select(Audience)).all()
    seen = {(row.kind, row.thing) for row in rows if row.class_id == class_id}
    return frozenset((row.kind, row.thing) for row in rows) - seen


def _in_words(left: timedelta) -> str:
    minutes = max(1, math.ceil(left.total_seconds() / 60))
    if minutes < 120:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = math.ceil(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{math.ceil(hours / 24)} days"
