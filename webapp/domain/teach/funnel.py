"""Where it gets hard for a class: how many began, how many got through, what stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.course import Track
from webapp.content.schema import Level
from webapp.domain.people import roster
from webapp.domain.people.classes import ClassInfo, class_info
from webapp.domain.people.roster import Actor
from webapp.domain.play import guard_names
from webapp.domain.services import Services
from webapp.domain.teach.facts import Facts, facts, lesson_ids, players_of
from webapp.plugins.guard import Stage
from webapp.rows import (
    BLOCKED,
    Attempt,
    Generation,
    Practice,
    SchoolClass,
    Visit,
)

_STAGES: Final[tuple[Stage, ...]] = ("input", "output")


@dataclass(frozen=True, slots=True)
class Stopper:
    """A guard of a gate: how many messages it stopped, of how many students."""

    names: tuple[str, ...]
    messages: int
    students: int


@dataclass(frozen=True, slots=True)
class GateFunnel:
    """A gate. `median_attempts` is that of those who opened it, None if nobody did."""

    number: int
    id: str
    title: str
    started: int
    solved: int
    median_attempts: float | None
    hints: int
    attempts: int
    blocked: int
    stoppers: tuple[Stopper, ...]

    @property
    def blocked_share(self) -> float | None:
        """The share of attempts that a guard stopped; None without any."""
        return self.blocked / self.attempts if self.attempts else None


@dataclass(frozen=True, slots=True)
class PanelFunnel:
    """A panel of a lesson, with what those who failed were told most often."""

    lesson_id: str
    lesson_title: str
    panel: str
    task: str
    started: int
    passed: int
    median_runs: float | None
    hints: int
    mistake: str | None
    mistakes: int


@dataclass(frozen=True, slots=True)
class FunnelPage:
    """The gates of one ladder and the panels of one track."""

    info: ClassInfo
    students: int
    ladders: tuple[tuple[str, str], ...]
    ladder: str | None
    tracks: tuple[tuple[str, str], ...]
    track: str | None
    gates: tuple[GateFunnel, ...]
    panels: tuple[PanelFunnel, ...]


def funnel_page(
    services: Services,
    *,
    actor: Actor,
    class_id: int,
    ladder: str | None = None,
    track: str | None = None,
) -> FunnelPage:
    """Return where it gets hard; raise Forbidden for who does not teach the class.

    An unknown ladder or track is as if none was named: the first.
    """
    index = services.content.current()
    chosen = ladder if ladder in index.ladders else next(iter(index.ladders), None)
    named = [one for one in index.tracks if one.id == track] or list(index.tracks)
    opened = named[0] if named else None
    with services.db.read() as session:
        school_class = roster.require_class(session, actor, class_id)
        known = facts(session, index, school_class)
        stoppers = _stoppers(session, school_class)
        mistakes = _mistakes(session, index, class_id, opened) if opened else {}
        info = class_info(school_class)
    gates = index.levels(chosen) if chosen else ()
    return FunnelPage(
        info=info,
        students=len(known.people),
        ladders=tuple((one.id, one.title) for one in index.ladders.values()),
        ladder=chosen,
        tracks=tuple((one.id, one.info.title) for one in index.tracks),
        track=opened.id if opened else None,
        gates=tuple(
            _gate(known, number, level, stoppers.get(level.id, {}))
            for number, level in enumerate(gates, 1)
        ),
        panels=tuple(_panels(known, opened, mistakes)) if opened else (),
    )


# By kind of guard: messages and students.
_Counts = Mapping[str, tuple[int, int]]


def _stoppers(session: Session, school_class: SchoolClass) -> Mapping[str, _Counts]:
    """Return which guard stopped how many, by level, in this season."""
    rows = session.execute(
        select(
            Attempt.level_id,
            Attempt.blocked_by,
            func.count(),
            func.count(Generation.player_id.distinct()),
        )
        .join(Visit, Visit.id == Attempt.visit_id)
        .where(
            Generation.player_id.in_(players_of(school_class.id)),
            Generation.status == BLOCKED,
            Visit.season == school_class.season,
        )
        .group_by(Attempt.level_id, Attempt.blocked_by)
    )
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for level_id, kind, messages, students in rows:
        found.setdefault(level_id, {})[kind or ""] = (messages, students)
    return found


def _gate(known: Facts, number: int, level: Level, stoppers: _Counts) -> GateFunnel:
    at = [state for (_, level_id), state in known.gates.items() if level_id == level.id]
    won = [one for (_, level_id), one in known.won.items() if level_id == level.id]
    began = {player for player, level_id in known.gates if level_id == level.id} | {
        player for player, level_id in known.won if level_id == level.id
    }
    return GateFunnel(
        number=number,
        id=level.id,
        title=level.title,
        started=len(began),
        solved=len(won),
        median_attempts=median(one.attempts for one in won) if won else None,
        hints=sum(
            n for (_, level_id), n in known.hints.items() if level_id == level.id
        ),
        attempts=sum(state.attempts for state in at),
        blocked=sum(state.blocked for state in at),
        stoppers=tuple(
            Stopper(_named(level, kind), messages, students)
            for kind, (messages, students) in sorted(
                stoppers.items(), key=lambda item: -item[1][0]
            )
        ),
    )


def _named(level: Level, kind: str) -> tuple[str, ...]:
    """Return how the guards of a kind are called at a level: there may be two."""
    names = [
        guard.name
        for stage in _STAGES
        for guard in guard_names.of_stage(level, stage)
        if guard.kind == kind
    ]
    return tuple(dict.fromkeys(names)) or (guard_names.SOME_GUARD,)


def _mistakes(
    session: Session, index: Index, class_id: int, track: Track
) -> Mapping[tuple[str, str], Counter[str]]:
    """Return what was told of runs that failed, by lesson and panel."""
    lessons = lesson_ids(index)
    wanted = {one.id for one in track.lessons}
    names = [name for name, now in lessons.items() if now in wanted]
    told = Practice.outcome
    said = func.coalesce(told["mistake"].as_string(), told["message"].as_string())
    sentence = said.label("sentence")
    rows = session.execute(
        select(Practice.lesson_id, Practice.panel, sentence, func.count())
        .where(
            Generation.player_id.in_(players_of(class_id)),
            Practice.lesson_id.in_(names),
            Practice.result == "failed",
        )
        .group_by(Practice.lesson_id, Practice.panel, sentence)
    )
    found: dict[tuple[str, str], Counter[str]] = {}
    for lesson_id, panel, words, count in rows:
        key = (lessons[lesson_id], panel)
        found.setdefault(key, Counter())[words or ""] += count
    return found


def _panels(
    known: Facts, track: Track, mistakes: Mapping[tuple[str, str], Counter[str]]
) -> list[PanelFunnel]:
    return [
        _panel(known, lesson.id, lesson.info.title, panel.name, panel.task, mistakes)
        for lesson in track.lessons
        for panel in lesson.panels
    ]


def _panel(
    known: Facts,
    lesson_id: str,
    title: str,
    panel: str,
    task: str,
    mistakes: Mapping[tuple[str, str], Counter[str]],
) -> PanelFunnel:
    at = [
        state
        for (_, of_lesson, name), state in known.panels.items()
        if (of_lesson, name) == (lesson_id, panel)
    ]
    passed = [state for state in at if state.passed_at is not None]
    told = mistakes.get((lesson_id, panel), Counter())
    often = max(told, key=lambda sentence: told[sentence], default=None)
    return PanelFunnel(
        lesson_id=lesson_id,
        lesson_title=title,
        panel=panel,
        task=task,
        started=sum(state.run_at is not None for state in at),
        passed=len(passed),
        median_runs=median(state.runs for state in passed) if passed else None,
        hints=sum(
            n
            for (_, of_lesson, name), n in known.panel_hints.items()
            if (of_lesson, name) == (lesson_id, panel)
        ),
        mistake=often,
        mistakes=told[often] if often is not None else 0,
    )
