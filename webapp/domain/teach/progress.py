"""The page of a class: who is stuck, and each student at each gate and track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from webapp.content.index import Index
from webapp.content.lessons.course import Track
from webapp.content.lessons.schema import Lesson
from webapp.content.schema import Level
from webapp.domain.people import roster
from webapp.domain.people.classes import ClassInfo, class_info
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.domain.teach import stuck
from webapp.domain.teach.facts import Facts, Person, facts
from webapp.domain.teach.stuck import Stuck

State = Literal["new", "begun", "done"]
NAME, SEEN, POINTS = "name", "seen", "points"
GATE, TRACK, LESSON = "gate", "track", "lesson"
RANKS: Final[Mapping[State, int]] = {"new": 0, "begun": 1, "done": 2}


@dataclass(frozen=True, slots=True)
class Column:
    """A gate, a track or a lesson. `number` stands before a gate's title."""

    kind: str
    id: str
    title: str
    number: int | None = None

    @property
    def key(self) -> str:
        """What the column is sorted by."""
        return f"{self.kind}-{self.id}"


@dataclass(frozen=True, slots=True)
class Cell:
    """How far a student is: tries are attempts or runs. `of` is 0 for one thing."""

    state: State
    tries: int
    hints: int
    done: int = 0
    of: int = 0

    @property
    def rank(self) -> tuple[int, int, int]:
        """What cells are compared by: how far, and then with how many tries."""
        return RANKS[self.state], self.done, -self.tries


UNTOUCHED: Final = Cell("new", tries=0, hints=0)


@dataclass(frozen=True, slots=True)
class StudentRow:
    """A student with a cell for each column."""

    id: int
    name: str
    points: int
    seen_at: datetime | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ProgressPage:
    """The page. `track` is the one whose lessons are shown instead of all tracks."""

    info: ClassInfo
    ladders: tuple[tuple[str, str], ...]
    ladder: str | None
    track: str | None
    sort: str
    columns: tuple[Column, ...]
    rows: tuple[StudentRow, ...]
    stuck: tuple[Stuck, ...]
    more_stuck: int
    now: datetime


def progress_page(
    services: Services,
    *,
    actor: Actor,
    class_id: int,
    sort: str = NAME,
    ladder: str | None = None,
    track: str | None = None,
) -> ProgressPage:
    """Return the page of a class; raise Forbidden for who does not teach it.

    `sort` is a column's key, with a minus before it for the other way round. An unknown
    one, and an unknown ladder or track, is as if none was named.
    """
    index = services.content.current()
    chosen = ladder if ladder in index.ladders else next(iter(index.ladders), None)
    opened = next((one for one in index.tracks if one.id == track), None)
    with services.db.read() as session:
        school_class = roster.require_class(session, actor, class_id)
        known = facts(session, index, school_class)
        found = stuck.stuck(known, index, services.now())
        shown = stuck.with_tries(
            session, services, found[: stuck.SHOWN], season=school_class.season
        )
        info = class_info(school_class)
    gates = index.levels(chosen) if chosen else ()
    columns = (*_gate_columns(gates), *_course_columns(index, opened))
    rows = _rows(known, gates, index.tracks, opened)
    return ProgressPage(
        info=info,
        ladders=tuple((one.id, one.title) for one in index.ladders.values()),
        ladder=chosen,
        track=opened.id if opened else None,
        sort=sort,
        columns=columns,
        rows=_sorted(rows, columns, sort),
        stuck=shown,
        more_stuck=len(found) - len(shown),
        now=services.now(),
    )


def _gate_columns(gates: tuple[Level, ...]) -> tuple[Column, ...]:
    return tuple(
        Column(GATE, level.id, level.title, number)
        for number, level in enumerate(gates, 1)
    )


def _course_columns(index: Index, opened: Track | None) -> tuple[Column, ...]:
    if opened is not None:
        return tuple(
            Column(LESSON, lesson.id, lesson.info.title) for lesson in opened.lessons
        )
    return tuple(Column(TRACK, track.id, track.info.title) for track in index.tracks)


def _rows(
    known: Facts,
    gates: tuple[Level, ...],
    tracks: tuple[Track, ...],
    opened: Track | None,
) -> list[StudentRow]:
    seen = last_seen(known)
    points: dict[int, int] = {}
    for (player, _), won in known.won.items():
        points[player] = points.get(player, 0) + won.points
    rows = []
    for person in known.people:
        cells = [_gate_cell(known, person, level) for level in gates]
        if opened is not None:
            cells += [lesson_cell(known, person, one) for one in opened.lessons]
        else:
            cells += [_track_cell(known, person, track) for track in tracks]
        rows.append(
            StudentRow(
                id=person.id,
                name=person.name,
                points=points.get(person.id, 0),
                seen_at=seen.get(person.id),
                cells=tuple(cells),
            )
        )
    return rows


def last_seen(known: Facts) -> Mapping[int, datetime]:
    """Return when each player last did something that is kept."""
    times = [
        *((key[0], at.last_at) for key, at in known.gates.items()),
        *((key[0], won.at) for key, won in known.won.items()),
        *((key[0], at.run_at) for key, at in known.panels.items() if at.run_at),
        *((key[0], at) for key, at in known.answers.items()),
        *known.trained.items(),
    ]
    seen: dict[int, datetime] = {}
    for player, moment in times:
        seen[player] = max(moment, seen.get(player, moment))
    return seen


def gate_state(known: Facts, person: Person, level_id: str) -> State:
    """Return how far a student is at a gate."""
    if (person.id, level_id) in known.won:
        return "done"
    return "begun" if (person.id, level_id) in known.gates else "new"


def _gate_cell(known: Facts, person: Person, level: Level) -> Cell:
    key = (person.id, level.id)
    at, won = known.gates.get(key), known.won.get(key)
    tries = at.attempts if at else won.attempts if won else 0
    return Cell(gate_state(known, person, level.id), tries, known.hints.get(key, 0))


def lesson_cell(known: Facts, person: Person, lesson: Lesson) -> Cell:
    """Return how far a student is with a lesson: done when every panel was passed.

    One without panels is done once every question has an answer.
    """
    if (person.id, lesson.id) not in known.met:
        return UNTOUCHED
    keys = [(person.id, lesson.id, panel.name) for panel in lesson.panels]
    found = [known.panels[key] for key in keys if key in known.panels]
    answers = [
        (person.id, lesson.id, question.name) in known.answers
        for question in lesson.questions
    ]
    done = sum(state.passed_at is not None for state in found)
    is_done = done == len(keys) if keys else bool(answers) and all(answers)
    is_begun = any(state.run_at for state in found) or any(answers)
    return Cell(
        "done" if is_done else "begun" if is_begun else "new",
        tries=sum(state.runs for state in found),
        hints=sum(known.panel_hints.get(key, 0) for key in keys),
    )


def _track_cell(known: Facts, person: Person, track: Track) -> Cell:
    cells = [lesson_cell(known, person, lesson) for lesson in track.lessons]
    done = sum(cell.state == "done" for cell in cells)
    is_begun = any(cell.state != "new" for cell in cells)
    return Cell(
        "done" if done == len(cells) else "begun" if is_begun else "new",
        tries=sum(cell.tries for cell in cells),
        hints=sum(cell.hints for cell in cells),
        done=done,
        of=len(cells),
    )


def _sorted(
    rows: list[StudentRow], columns: tuple[Column, ...], sort: str
) -> tuple[StudentRow, ...]:
    """Sort rows, which come by name; equal ones stay as they are."""
    key, is_down = sort.removeprefix("-"), sort.startswith("-")
    places = {column.key: place for place, column in enumerate(columns)}
    if key == NAME:
        return tuple(reversed(rows) if is_down else rows)
    if key == POINTS:
        return tuple(sorted(rows, key=lambda row: row.points, reverse=is_down))
    if key == SEEN:
        return tuple(
            sorted(
                rows,
                key=lambda row: row.seen_at.timestamp() if row.seen_at else 0.0,
                reverse=is_down,
            )
        )
    if key in places:
        place = places[key]
        return tuple(
            sorted(rows, key=lambda row: row.cells[place].rank, reverse=is_down)
        )
    return tuple(rows)
