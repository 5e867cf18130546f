"""What a player has tried and written in lessons, for the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from webapp.content.index import Index
from webapp.content.lessons.schema import Panel, Slot
from webapp.domain.learn import history
from webapp.domain.learn.filling import ordered
from webapp.domain.learn.history import RunView
from webapp.domain.services import Services
from webapp.rows import Generation, QuestionAnswer
from webapp.text.words import find_key

BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run of a panel. `lesson_id` is None if the lesson is gone.

    `typed` is what was typed, as it was put into the prompt.
    """

    run: RunView
    lesson_id: str | None
    lesson_title: str
    typed: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All that can be searched for."""
        return (*self.typed, *self.run.replies, self.run.note, self.lesson_title)


@dataclass(frozen=True, slots=True)
class Reflection:
    """What was written about a lesson, in one's own words."""

    lesson_id: str
    lesson_title: str
    question: str
    ask: str
    text: str
    answered_at: datetime


def runs(
    services: Services,
    *,
    player_id: int,
    query: str = "",
    before: int | None = None,
    limit: int,
) -> tuple[RunEntry, ...]:
    """Return runs of a player, newest first, whose texts contain `query`."""
    index = services.content.current()
    wanted = find_key(query.strip())
    found: list[RunEntry] = []
    size = BATCH if wanted else limit
    while len(found) < limit:
        some = history.all_runs(
            services, player_id=player_id, before=before, limit=size
        )
        told = (_entry(index, run) for run in some)
        found += (item for item in told if not wanted or _has(item.texts, wanted))
        if len(some) < size:
            break
        before = some[-1].id
    return tuple(found[:limit])


def reflections(
    services: Services,
    *,
    player_id: int,
    query: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Reflection, ...]:
    """Return what a player wrote from `since` on and before `until`, newest first."""
    index = services.content.current()
    wanted = find_key(query.strip())
    rows = select(QuestionAnswer).where(QuestionAnswer.player_id == player_id)
    if since is not None:
        rows = rows.where(QuestionAnswer.answered_at >= since)
    if until is not None:
        rows = rows.where(QuestionAnswer.answered_at < until)
    rows = rows.order_by(QuestionAnswer.answered_at.desc())
    with services.db.read() as session:
        told = [_reflection(index, row) for row in session.scalars(rows)]
    return tuple(
        item
        for item in told
        if item is not None
        and (not wanted or _has((item.text, item.lesson_title), wanted))
    )


def began_at(services: Services, *, player_id: int, number: int) -> datetime | None:
    """Return when a generation of this player began; None if there is no such one."""
    rows = select(Generation.created_at).where(
        Generation.id == number, Generation.player_id == player_id
    )
    with services.db.read() as session:
        return session.scalar(rows)


def _entry(index: Index, run: RunView) -> RunEntry:
    lesson = index.find_lesson(run.lesson_id)
    panels = lesson.panels if lesson else ()
    panel = next((panel for panel in panels if panel.name == run.panel), None)
    return RunEntry(
        run=run,
        lesson_id=lesson.id if lesson else None,
        lesson_title=lesson.info.title if lesson else run.lesson_id,
        typed=texts_of(panel, run.values),
    )


def texts_of(panel: Panel | None, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return what was typed as texts: lines in order instead of their numbers.

    Of a panel that has changed since, it is what the row has.
    """
    slots = panel.slots if panel else {}
    return tuple(
        _text(slots[name], value) if name in slots else value
        for name, value in values.items()
    )


def _text(slot: Slot, value: str) -> str:
    if not slot.items:
        return value
    try:
        return ordered(slot, value)
    except (IndexError, ValueError):
        return value


def _reflection(index: Index, row: QuestionAnswer) -> Reflection | None:
    lesson = index.find_lesson(row.lesson_id)
    questions = lesson.questions if lesson else ()
    question = next((q for q in questions if q.name == row.question), None)
    if lesson is None or question is None or question.kind != "reflect":
        return None
    return Reflection(
        lesson_id=lesson.id,
        lesson_title=lesson.info.title,
        question=question.name,
        ask=question.ask,
        text=str(row.answer),
        answered_at=row.answered_at,
    )


def _has(texts: tuple[str, ...], wanted: str) -> bool:
    return any(wanted in find_key(text) for text in texts)
