"""What a student has done, as a teacher reads it, and as the student may check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.db import LAST_ID
from webapp.domain.learn import diary
from webapp.domain.learn.diary import RunEntry
from webapp.domain.people import roster
from webapp.domain.people.players import require_player
from webapp.domain.people.roster import Actor
from webapp.domain.play import guard_names, notebook
from webapp.domain.play.attempts import AttemptView
from webapp.domain.play.notebook import NotebookPage
from webapp.domain.services import Services
from webapp.domain.teach.covering import Cover, cover
from webapp.domain.train import runs as trainings
from webapp.domain.train.runs import RunView
from webapp.errors import NotFound
from webapp.rows import Attempt, Player, QuestionAnswer, TrainedModel

GATES, LESSONS, ANSWERS, TRAINING = "gates", "lessons", "answers", "training"
PARTS: Final = {
    GATES: "At the gates",
    LESSONS: "Runs in lessons",
    ANSWERS: "Answers",
    TRAINING: "Training",
}
PAGE_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Step:
    """A guard on the way of a message or reply, and whether it let it through."""

    guard_name: str
    stage: str
    allowed: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SeenAttempt:
    """An attempt without what must not be read yet: that is empty, and said so."""

    number: int
    attempt: AttemptView
    path: tuple[Step, ...]
    hides_message: bool = False
    hides_reply: bool = False


@dataclass(frozen=True, slots=True)
class SeenVisit:
    """What a page has of one visit, newest first. `ended_why` is None if it goes on."""

    level_title: str
    number: int
    ended_why: str | None
    attempts: tuple[SeenAttempt, ...]


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """An answer to a question of a lesson. `is_right` is None where nothing is wrong.

    `lesson_id` is None if the lesson is gone; `ask` is "" if the question is.
    """

    lesson_id: str | None
    lesson_title: str
    ask: str
    lines: tuple[str, ...]
    is_right: bool | None
    tries: int
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """A page of one part of it, newest first; `next_before` leads to what is older."""

    player_id: int
    name: str
    class_id: int
    part: str
    visits: tuple[SeenVisit, ...] = ()
    runs: tuple[RunEntry, ...] = ()
    answers: tuple[SeenAnswer, ...] = ()
    trainings: tuple[RunView, ...] = ()
    next_before: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on this page."""
        return not (self.visits or self.runs or self.answers or self.trainings)


def of_player(
    services: Services,
    *,
    actor: Actor,
    player_id: int,
    part: str = GATES,
    before: int | None = None,
) -> Work:
    """Return what a player of a class has done; raise Forbidden to other teachers.

    An unknown `part` is as if none was named.
    """
    with services.db.read() as session:
        player = roster.require_player(session, actor, player_id)
    return _work(services, player, part, before, is_own=False)


def own(
    services: Services, *, player_id: int, part: str = GATES, before: int | None = None
) -> Work:
    """Return what a teacher sees of this player; raise NotFound if they are gone.

    The one difference: guards that a gate hides from its players stay hidden.
    """
    with services.db.read() as session:
        player = require_player(session, player_id)
    return _work(services, player, part, before, is_own=True)


def _work(
    services: Services, player: Player, part: str, before: int | None, *, is_own: bool
) -> Work:
    part = part if part in PARTS else GATES
    before = None if before is None else max(0, min(before, LAST_ID))
    empty = Work(player.id, player.name, player.class_id, part)
    match part:
        case "lessons":
            return _lessons(services, empty, before)
        case "answers":
            return _answers(services, empty)
        case "training":
            return _trainings(services, empty, before)
        case _:
            return _gates(services, empty, before, is_own=is_own)


def _gates(services: Services, work: Work, before: int | None, *, is_own: bool) -> Work:
    page = notebook.search(services, player_id=work.player_id, before=before)
    ids = [item.id for item in page.items]
    with services.db.read() as session:
        covered = cover(session, services, {item.visit_id for item in page.items})
        paths = {} if is_own else _paths(session, services.content.current(), ids)
    return replace(
        work, visits=_visits(page, covered, paths), next_before=page.next_before
    )


def _visits(
    page: NotebookPage, covered: Cover, paths: dict[int, tuple[Step, ...]]
) -> tuple[SeenVisit, ...]:
    return tuple(
        SeenVisit(
            level_title=visit.level_title,
            number=visit.number,
            ended_why=visit.ended_why,
            attempts=tuple(
                _seen(entry.number, entry.attempt, covered, paths)
                for entry in visit.entries
            ),
        )
        for visit in page.visits
    )


def _seen(
    number: int,
    attempt: AttemptView,
    covered: Cover,
    paths: dict[int, tuple[Step, ...]],
) -> SeenAttempt:
    """Return an attempt without its note, which is the student's own."""
    visit_id = attempt.visit_id
    hides_message = covered.hides(visit_id, attempt.message)
    hides_reply = covered.hides_reply(visit_id, attempt.reply)
    is_bare = covered.is_open(visit_id)
    known = tuple(
        Step(v.guard_name, v.stage, v.allowed, None if is_bare else v.reason)
        for v in attempt.verdicts
    )
    return SeenAttempt(
        number=number,
        attempt=replace(
            attempt,
            message="" if hides_message else attempt.message,
            reply=None if hides_reply else attempt.reply,
            # What a model thinks and what a verdict rests on quote the password.
            thoughts=None if is_bare else attempt.thoughts,
            verdicts=(),
            note="",
        ),
        path=known or paths.get(attempt.id, ()),
        hides_message=hides_message,
        hides_reply=hides_reply,
    )


def _paths(
    session: Session, index: Index, ids: Iterable[int]
) -> dict[int, tuple[Step, ...]]:
    """Return who judged, also at gates that do not tell their players."""
    rows = session.scalars(select(Attempt).where(Attempt.id.in_(list(ids))))
    return {row.id: path_of(index, row) for row in rows}


def path_of(index: Index, row: Attempt) -> tuple[Step, ...]:
    """Return the guards that an attempt met, in order."""
    try:
        level = index.level(row.level_id)
    except NotFound:
        level = None
    named = guard_names.of_verdicts(level, row.verdicts)
    return tuple(
        Step(guard.name, guard.stage, bool(verdict["allowed"]))
        for verdict, guard in zip(row.verdicts, named, strict=True)
    )


def _lessons(services: Services, work: Work, before: int | None) -> Work:
    found = diary.runs(
        services, player_id=work.player_id, before=before, limit=PAGE_ROWS + 1
    )
    shown = found[:PAGE_ROWS]
    next_before = shown[-1].run.id if len(found) > PAGE_ROWS else None
    return replace(work, runs=shown, next_before=next_before)


def _answers(services: Services, work: Work) -> Work:
    """There are at most as many answers as the course has questions: all at once."""
    index = services.content.current()
    rows = (
        select(QuestionAnswer)
        .where(QuestionAnswer.player_id == work.player_id)
        .order_by(QuestionAnswer.answered_at.desc())
    )
    with services.db.read() as session:
        return replace(
            work,
            answers=tuple(answer_view(index, row) for row in session.scalars(rows)),
        )


def answer_view(index: Index, row: QuestionAnswer) -> SeenAnswer:
    """Return an answer with the words of its question."""
    try:
        lesson = index.lesson(row.lesson_id)
    except NotFound:
        lesson = None
    questions = lesson.questions if lesson else ()
    asked = next((one.ask for one in questions if one.name == row.question), "")
    return SeenAnswer(
        lesson_id=lesson.id if lesson else None,
        lesson_title=lesson.info.title if lesson else row.lesson_id,
        ask=asked,
        lines=_lines(row.answer),
        is_right=row.is_right,
        tries=row.tries,
        answered_at=row.answered_at,
    )


def _lines(answer: Any) -> tuple[str, ...]:
    return tuple(map(str, answer)) if isinstance(answer, list) else (str(answer),)


def _trainings(services: Services, work: Work, before: int | None) -> Work:
    rows = select(TrainedModel).where(TrainedModel.player_id == work.player_id)
    if before is not None:
        rows = rows.where(TrainedModel.id < before)
    rows = rows.order_by(TrainedModel.id.desc()).limit(PAGE_ROWS + 1)
    with services.db.read() as session:
        found = [trainings.view(row) for row in session.scalars(rows)]
    shown = tuple(found[:PAGE_ROWS])
    next_before = shown[-1].id if len(found) > PAGE_ROWS else None
    return replace(work, trainings=shown, next_before=next_before)
