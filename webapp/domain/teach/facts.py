"""What is known of a class, in a fixed number of questions to the database.

None of them reads attempts, of which there may be very many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson
from webapp.rows import (
    PLAYER,
    HintUse,
    LevelState,
    PanelHint,
    PanelState,
    Player,
    QuestionAnswer,
    SchoolClass,
    Solve,
    TrainedModel,
)

# A player and a level, lesson or panel.
Key = tuple[int, str]
PanelKey = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """A player of the class."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class AtGate:
    """Where a player stands at a gate; a gate that was only guessed has no attempts."""

    attempts: int
    blocked: int
    last_at: datetime
    progress_at: datetime


@dataclass(frozen=True, slots=True)
class Won:
    """A gate that a player has opened in this season."""

    points: int
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AtPanel:
    """How far a player is with a panel."""

    runs: int
    passed_at: datetime | None
    run_at: datetime | None
    progress_at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it, by player; ids of lessons are those of now."""

    people: tuple[Person, ...]
    gates: Mapping[Key, AtGate]
    won: Mapping[Key, Won]
    hints: Mapping[Key, int]
    panels: Mapping[PanelKey, AtPanel]
    panel_hints: Mapping[PanelKey, int]
    answers: Mapping[PanelKey, datetime]
    # Who has done anything in which lesson: for all others it is new.
    met: frozenset[Key]
    trained: Mapping[int, datetime]


def facts(session: Session, index: Index, school_class: SchoolClass) -> Facts:
    """Return what is known of the players of a class."""
    people = select(Player.id, Player.name).where(
        Player.class_id == school_class.id, Player.role == PLAYER
    )
    members = players_of(school_class.id)
    lessons = lesson_ids(index)
    panels = _panels(session, members, lessons)
    panel_hints = _panel_hints(session, members, lessons)
    answers = _answers(session, members, lessons)
    return Facts(
        people=tuple(
            Person(row.id, row.name)
            for row in session.execute(people.order_by(Player.name_key))
        ),
        gates=_gates(session, school_class),
        won=_won(session, members),
        hints=_hints(session, members),
        panels=panels,
        panel_hints=panel_hints,
        answers=answers,
        met=frozenset(key[:2] for key in (*panels, *panel_hints, *answers)),
        trained=_trained(session, members),
    )


def players_of(class_id: int) -> ScalarSelect[int]:
    """Return the ids of the players of a class, as a part of another question."""
    return (
        select(Player.id)
        .where(Player.class_id == class_id, Player.role == PLAYER)
        .scalar_subquery()
    )


def lesson_ids(index: Index) -> Mapping[str, str]:
    """Return the id of now for every id that a lesson has or had."""
    known: dict[str, str] = {}
    for lesson in all_lessons(index):
        for older in lesson.info.was:
            known.setdefault(older, lesson.id)
    return known | {lesson.id: lesson.id for lesson in all_lessons(index)}


def all_lessons(index: Index) -> tuple[Lesson, ...]:
    """Return the lessons of all tracks, in order."""
    return tuple(lesson for track in index.tracks for lesson in track.lessons)


def _gates(session: Session, school_class: SchoolClass) -> Mapping[Key, AtGate]:
    rows = session.execute(
        select(
            LevelState.player_id,
            LevelState.level_id,
            LevelState.attempts,
            LevelState.blocked,
            LevelState.last_at,
            LevelState.progress_at,
        ).where(
            LevelState.player_id.in_(players_of(school_class.id)),
            LevelState.season == school_class.season,
        )
    )
    return {(row[0], row[1]): AtGate(*row[2:]) for row in rows}


def _won(session: Session, members: ScalarSelect[int]) -> Mapping[Key, Won]:
    rows = session.execute(
        select(
            Solve.player_id,
            Solve.level_id,
            Solve.points,
            Solve.attempts,
            Solve.solved_at,
        ).where(Solve.player_id.in_(members), Solve.season.is_(None))
    )
    return {(row[0], row[1]): Won(*row[2:]) for row in rows}


def _hints(session: Session, members: ScalarSelect[int]) -> Mapping[Key, int]:
    rows = session.execute(
        select(HintUse.player_id, HintUse.level_id, func.count())
        .where(HintUse.player_id.in_(members))
        .group_by(HintUse.player_id, HintUse.level_id)
    )
    return {(player, level): count for player, level, count in rows}


def _panels(
    session: Session, members: ScalarSelect[int], lessons: Mapping[str, str]
) -> Mapping[PanelKey, AtPanel]:
    rows = session.execute(
        select(
            PanelState.player_id,
            PanelState.lesson_id,
            PanelState.panel,
            PanelState.runs,
            PanelState.passed_at,
            PanelState.run_at,
            PanelState.progress_at,
        ).where(PanelState.player_id.in_(members))
    )
    found: dict[PanelKey, AtPanel] = {}
    for player, lesson, panel, runs, passed_at, run_at, progress_at in rows:
        state = AtPanel(runs, passed_at, run_at, progress_at)
        key = (player, lessons.get(lesson, lesson), panel)
        known = found.get(key)
        # Where a lesson was renamed there may be rows of both names.
        if known is None or _rank(state) > _rank(known):
            found[key] = state
    return found


def _rank(state: AtPanel) -> tuple[bool, int]:
    return state.passed_at is not None, state.runs


def _panel_hints(
    session: Session, members: ScalarSelect[int], lessons: Mapping[str, str]
) -> Mapping[PanelKey, int]:
    rows = session.execute(
        select(PanelHint.player_id, PanelHint.lesson_id, PanelHint.panel, func.count())
        .where(PanelHint.player_id.in_(members))
        .group_by(PanelHint.player_id, PanelHint.lesson_id, PanelHint.panel)
    )
    return {
        (player, lessons.get(lesson, lesson), panel): count
        for player, lesson, panel, count in rows
    }


def _answers(
    session: Session, members: ScalarSelect[int], lessons: Mapping[str, str]
) -> Mapping[PanelKey, datetime]:
    rows = session.execute(
        select(
            QuestionAnswer.player_id,
            QuestionAnswer.lesson_id,
            QuestionAnswer.question,
            QuestionAnswer.answered_at,
        ).where(QuestionAnswer.player_id.in_(members))
    )
    return {
        (player, lessons.get(lesson, lesson), question): at
        for player, lesson, question, at in rows
    }


def _trained(session: Session, members: ScalarSelect[int]) -> Mapping[int, datetime]:
    rows = session.execute(
        select(TrainedModel.player_id, func.max(TrainedModel.created_at))
        .where(TrainedModel.player_id.in_(members))
        .group_by(TrainedModel.player_id)
    )
    return {row[0]: row[1] for row in rows}
