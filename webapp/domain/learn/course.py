"""The course: all tracks and lessons, and how far somebody is with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.lessons.course import Track
from webapp.content.lessons.schema import Lesson
from webapp.domain.learn import progress
from webapp.domain.learn.progress import LessonState, Reached
from webapp.domain.people import rules
from webapp.domain.people.rules import Rules
from webapp.domain.services import Services
from webapp.rows import CLOSED, TRACK_RULE, Solve


@dataclass(frozen=True, slots=True)
class LessonLine:
    """A lesson in a list."""

    id: str
    title: str
    idea: str
    minutes: int
    state: LessonState
    panels: int
    passed: int

    @property
    def is_done(self) -> bool:
        """Whether it is done, with help or without."""
        return self.state in {"done", "helped"}


@dataclass(frozen=True, slots=True)
class TrackView:
    """A track with its lessons, in their order.

    `closed` says that an instructor has closed it, until `opens_at` if that is known.
    """

    id: str
    title: str
    story: str
    lessons: tuple[LessonLine, ...]
    closed: bool = False
    opens_at: datetime | None = None

    @property
    def done(self) -> int:
        """How many of its lessons are done."""
        return sum(lesson.is_done for lesson in self.lessons)

    @property
    def total(self) -> int:
        """How many lessons it has."""
        return len(self.lessons)


@dataclass(frozen=True, slots=True)
class CoursePage:
    """All that the home of the course shows. `next` is None once all is done."""

    tracks: tuple[TrackView, ...]
    next: LessonLine | None
    gates_won: int
    models_trained: int = 0

    @property
    def done(self) -> int:
        """How many lessons are done."""
        return sum(track.done for track in self.tracks)

    @property
    def total(self) -> int:
        """How many lessons there are."""
        return sum(track.total for track in self.tracks)


def course_page(services: Services, player_id: int | None) -> CoursePage:
    """Return the course as a player sees it, or as somebody without an account does."""
    index = services.content.current()
    with services.db.read() as session:
        known = progress.reached(session, index, player_id)
        won = gates_won(session, player_id)
        held = rules.of_id(session, services, player_id)
    tracks = tuple(
        _track_view(track, known, held)
        for track in index.tracks
        if any(map(held.sees_lesson, track.lessons))
    )
    lines = [line for track in tracks if not track.closed for line in track.lessons]
    return CoursePage(
        tracks=tracks,
        next=next((line for line in lines if not line.is_done), None),
        gates_won=won,
    )


def _track_view(track: Track, known: Reached, held: Rules) -> TrackView:
    is_closed = held.track(track.id) == CLOSED
    return TrackView(
        track.id,
        track.info.title,
        track.info.story,
        tuple(
            lesson_line(lesson, known)
            for lesson in track.lessons
            if held.sees_lesson(lesson)
        ),
        closed=is_closed,
        opens_at=held.changes_at(TRACK_RULE, track.id) if is_closed else None,
    )


def require_lesson(
    session: Session, services: Services, *, player_id: int | None, lesson: Lesson
) -> Rules:
    """Return what holds for a player; raise unless the lesson may be opened.

    Raises NotFound for what only other classes see, Forbidden (`closed`) for a track
    that an instructor has closed.
    """
    held = rules.of_id(session, services, player_id)
    held.require_lesson(services.content.current(), lesson)
    return held


def lesson_line(lesson: Lesson, known: Reached) -> LessonLine:
    """Return a lesson as a list shows it."""
    states = [known.panels.get((lesson.id, panel.name)) for panel in lesson.panels]
    return LessonLine(
        id=lesson.id,
        title=lesson.info.title,
        idea=lesson.info.idea,
        minutes=lesson.info.minutes,
        state=known.state(lesson),
        panels=len(states),
        passed=sum(bool(state and state.passed_at) for state in states),
    )


def lessons_for_gate(
    services: Services, gate: str, player_id: int | None
) -> tuple[LessonLine, ...]:
    """Return the lessons that help with a gate, such as keep/told."""
    index = services.content.current()
    lessons = index.lessons_for_gate(gate)
    if not lessons:
        return ()
    with services.db.read() as session:
        known = progress.reached(session, index, player_id)
        held = rules.of_id(session, services, player_id)
    return tuple(
        lesson_line(lesson, known)
        for lesson in lessons
        if held.sees_lesson(lesson) and held.track(lesson.track) != CLOSED
    )


def gates_won(session: Session, player_id: int | None) -> int:
    """Return how many gates a player has won in the current season."""
    if player_id is None:
        return 0
    query = (
        select(func.count(Solve.level_id.distinct()))
        .select_from(Solve)
        .where(Solve.player_id == player_id, Solve.season.is_(None))
    )
    return session.scalar(query) or 0


def solved_levels(session: Session, player_id: int | None) -> frozenset[str]:
    """Return the levels that a player has won in the current season."""
    if player_id is None:
        return frozenset()
    query = select(Solve.level_id).where(
        Solve.player_id == player_id, Solve.season.is_(None)
    )
    return frozenset(session.scalars(query))
