"""How far somebody is with panels and lessons; what was reached is never lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson
from webapp.errors import NotFound
from webapp.rows import PanelState, Practice, QuestionAnswer

# A solution that was seen so long ago is no help any more, and what was passed so long
# ago is worth asking again.
A_WHILE: Final = timedelta(days=2)

# The version of the weights that a pass has which came with a file of progress.
IMPORTED: Final = "imported"

LessonState = Literal["new", "begun", "done", "helped"]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reached:
    """What a player has reached, by lesson and panel or question, as ids are now."""

    panels: Mapping[Key, PanelState]
    answers: Mapping[Key, QuestionAnswer]

    def state(self, lesson: Lesson) -> LessonState:
        """Return how far a lesson is: done when every panel was passed.

        A lesson without panels is done once every question has an answer.
        """
        found = [self.panels.get((lesson.id, panel.name)) for panel in lesson.panels]
        answers = [
            self.answers.get((lesson.id, question.name))
            for question in lesson.questions
        ]
        parts = found if lesson.panels else answers
        if parts and all(map(_is_done, parts)):
            return "helped" if any(s and s.is_helped for s in found) else "done"
        was_there = any(s and s.run_at for s in found) or any(answers)
        return "begun" if was_there else "new"


NOTHING: Final = Reached({}, {})


def reached(session: Session, index: Index, player_id: int | None) -> Reached:
    """Return what a player has reached; nothing without one."""
    if player_id is None:
        return NOTHING
    states = session.scalars(
        select(PanelState).where(PanelState.player_id == player_id)
    )
    answers = session.scalars(
        select(QuestionAnswer).where(QuestionAnswer.player_id == player_id)
    )
    panels: dict[Key, PanelState] = {}
    for state in states:
        key = _key(index, state.lesson_id, state.panel)
        # Where a lesson was renamed there may be rows of both names.
        if key is not None and _is_better(state, panels.get(key)):
            panels[key] = state
    given: dict[Key, QuestionAnswer] = {}
    for answer in answers:
        key = _key(index, answer.lesson_id, answer.question)
        known = given.get(key) if key is not None else None
        if key is not None and (
            known is None or known.answered_at < answer.answered_at
        ):
            given[key] = answer
    return Reached(panels, given)


def panel_state(
    session: Session, player_id: int, lesson: Lesson, panel: str
) -> PanelState | None:
    """Return the row of a player and panel, under any id of the lesson."""
    rows = session.scalars(
        select(PanelState).where(
            PanelState.player_id == player_id,
            PanelState.lesson_id.in_(ids(lesson)),
            PanelState.panel == panel,
        )
    )
    return _best(rows)


def own_state(
    session: Session, player_id: int, lesson: Lesson, panel: str
) -> PanelState:
    """Return the row to write to: under the lesson's id of now, made if needed.

    What was reached under an older id is taken along. The player's row is locked or the
    caller holds the write lock, so nobody else makes it meanwhile.
    """
    key = (player_id, lesson.id, panel)
    row = session.get(PanelState, key, with_for_update=True)
    if row is not None:
        return row
    old = panel_state(session, player_id, lesson, panel)
    row = PanelState(
        player_id=player_id,
        lesson_id=lesson.id,
        panel=panel,
        best=old.best if old else 0.0,
        passed_at=old.passed_at if old else None,
        is_helped=old.is_helped if old else False,
        passed_hash=old.passed_hash if old else "",
        passed_version=old.passed_version if old else "",
        solution_seen_at=old.solution_seen_at if old else None,
        runs=old.runs if old else 0,
        progress_at=old.progress_at if old else None,
        run_at=old.run_at if old else None,
    )
    session.add(row)
    session.flush()
    return row


def is_helped_now(state: PanelState | None, now: datetime) -> bool:
    """Say whether a pass now would be one with help.

    Who has passed without help keeps that; a solution is forgotten after a while.
    """
    if state is None or state.solution_seen_at is None:
        return False
    if state.passed_at is not None and not state.is_helped:
        return False
    return now - state.solution_seen_at < A_WHILE


def note_run(
    session: Session,
    lesson: Lesson,
    row: Practice,
    *,
    score: float,
    now: datetime,
    is_first_time: bool = True,
) -> None:
    """Take a judged run into what its player has reached; it can only get better.

    A run that is judged once more is still one run.
    """
    if row.player_id is None:
        return
    state = own_state(session, row.player_id, lesson, row.panel)
    if state.run_at is None or score > state.best:
        state.progress_at = now
    state.run_at = now
    state.runs += is_first_time
    state.best = max(state.best, score)
    if row.result != "passed":
        return
    if state.passed_at is None:
        state.passed_at = now
        state.is_helped = row.is_helped
    elif not row.is_helped:
        state.is_helped = False
    state.passed_hash, state.passed_version = row.panel_hash, row.model_version


def ids(lesson: Lesson) -> tuple[str, ...]:
    """Return the id of a lesson and those that it had before."""
    return (lesson.id, *lesson.info.was)


def _is_done(part: PanelState | QuestionAnswer | None) -> bool:
    if isinstance(part, PanelState):
        return part.passed_at is not None
    return part is not None


def _key(index: Index, lesson_id: str, name: str) -> Key | None:
    try:
        return index.lesson(lesson_id).id, name
    except NotFound:
        # The lesson is gone; what was reached in it stays in the database.
        return None


def _best(rows: Iterable[PanelState]) -> PanelState | None:
    best: PanelState | None = None
    for row in rows:
        if _is_better(row, best):
            best = row
    return best


def _is_better(row: PanelState, other: PanelState | None) -> bool:
    return other is None or _rank(row) > _rank(other)


def _rank(row: PanelState) -> tuple[bool, bool, float]:
    return row.passed_at is not None, not row.is_helped, row.best
