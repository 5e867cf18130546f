"""Old things asked again: three panels a day, three questions before a new track."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from webapp.content.lessons.schema import Lesson, Question
from webapp.domain.learn import progress, questions
from webapp.domain.learn.progress import A_WHILE
from webapp.domain.learn.questions import QuestionView
from webapp.domain.people import rules
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.rows import CLOSED

PANELS: Final = 3
QUESTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class DailyPanel:
    """A panel that was passed some days ago. `is_done`: it was run again today."""

    lesson_id: str
    lesson_title: str
    panel: str
    task: str
    run_at: datetime
    is_done: bool


@dataclass(frozen=True, slots=True)
class OldQuestion:
    """A question of an earlier track, to be answered once more."""

    lesson_id: str
    lesson_title: str
    view: QuestionView


def daily(services: Services, *, player_id: int) -> tuple[DailyPanel, ...]:
    """Return three panels that were passed days ago, the longest rest first.

    Those that were run again today stay in the list, done.
    """
    index = services.content.current()
    now = services.now()
    with services.db.read() as session:
        known = progress.reached(session, index, player_id)
        held = rules.of_id(session, services, player_id)
    found: list[DailyPanel] = []
    for (lesson_id, name), state in known.panels.items():
        lesson = index.lesson(lesson_id)
        panel = next((one for one in lesson.panels if one.name == name), None)
        if not held.sees_lesson(lesson) or held.track(lesson.track) == CLOSED:
            continue
        if panel is None or state.passed_at is None or state.run_at is None:
            continue
        is_today = state.run_at.date() == now.date()
        if now - state.passed_at < A_WHILE:
            continue
        if is_today or now - state.run_at >= A_WHILE:
            found.append(
                DailyPanel(
                    lesson_id,
                    lesson.info.title,
                    name,
                    panel.task,
                    state.run_at,
                    is_today,
                )
            )
    done = [one for one in found if one.is_done]
    rested = [one for one in found if not one.is_done]
    rested.sort(key=lambda one: (one.run_at, one.lesson_id, one.panel))
    done.sort(key=lambda one: one.run_at)
    return tuple([*done, *rested][:PANELS])


def old_questions(
    services: Services, *, player_id: int, track_id: str
) -> tuple[OldQuestion, ...]:
    """Return three questions of the tracks before one, the longest rest first.

    Only such that have a right answer and were answered a while ago. Raises NotFound
    for an unknown track.
    """
    index = services.content.current()
    before = _lessons_before(services, track_id)
    now = services.now()
    found: list[tuple[datetime, Lesson, Question]] = []
    with services.db.read() as session:
        known = progress.reached(session, index, player_id)
        held = rules.of_id(session, services, player_id)
        for lesson in before:
            if not held.sees_lesson(lesson) or held.track(lesson.track) == CLOSED:
                continue
            for question in lesson.questions:
                row = known.answers.get((lesson.id, question.name))
                if row is None or questions.right_answer(question) is None:
                    continue
                if now - row.answered_at >= A_WHILE:
                    found.append((row.answered_at, lesson, question))
        found.sort(key=lambda one: (one[0], one[1].id, one[2].name))
        return tuple(
            OldQuestion(
                lesson.id,
                lesson.info.title,
                questions.fresh_view(player_id, lesson, question),
            )
            for _, lesson, question in found[:QUESTIONS]
        )


def _lessons_before(services: Services, track_id: str) -> tuple[Lesson, ...]:
    tracks = services.content.current().tracks
    names = [track.id for track in tracks]
    if track_id not in names:
        raise NotFound("There is no such track.")
    return tuple(
        lesson for track in tracks[: names.index(track_id)] for lesson in track.lessons
    )
