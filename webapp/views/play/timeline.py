"""The notebook as one timeline: what was said at gates and done in lessons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from webapp.domain.learn import diary
from webapp.domain.learn.diary import Reflection, RunEntry
from webapp.domain.play import notebook
from webapp.domain.play.notebook import VisitEntries
from webapp.domain.services import Services

KEEP: Final = "keep"
LESSONS: Final = "lessons"
KINDS: Final = {"": "Everything", KEEP: "The keep", LESSONS: "Lessons"}


@dataclass(frozen=True, slots=True)
class LessonEntries:
    """Runs and reflections of one lesson that follow each other, newest first."""

    lesson_id: str | None
    lesson_title: str
    entries: tuple[RunEntry | Reflection, ...]


Block = VisitEntries | LessonEntries


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it, newest first; `next_before` leads to what is older."""

    blocks: tuple[Block, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    player_id: int
    query: str = ""
    level_id: str | None = None
    result: str | None = None
    kind: str = ""
    before: int | None = None

    @property
    def has_attempts(self) -> bool:
        """Whether what was said at gates is part of it."""
        return self.kind != LESSONS or bool(self.level_id or self.result)

    @property
    def has_lessons(self) -> bool:
        """Whether lessons are; no gate and no result of the game is in them."""
        return self.kind != KEEP and not (self.level_id or self.result)


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing that happened; `number` is that of its generation, if it has one."""

    when: datetime
    number: int
    block: Block


def timeline(services: Services, wanted: Wanted) -> Timeline:
    """Return a page of the notebook; raise InvalidInput for too long a search."""
    limit = notebook.PAGE_ROWS
    items: list[_Item] = []
    if wanted.has_attempts:
        page = notebook.search(
            services,
            player_id=wanted.player_id,
            query=wanted.query,
            level_id=wanted.level_id,
            result=wanted.result,
            before=wanted.before,
            limit=limit + 1,
        )
        items += _attempts(page.visits)
    if wanted.has_lessons:
        items += _runs(services, wanted, limit + 1)
    items.sort(key=lambda item: item.number, reverse=True)
    shown, has_more = items[:limit], len(items) > limit
    last = shown[-1] if has_more else None
    if wanted.has_lessons:
        shown += _reflections(services, wanted, since=last.when if last else None)
        shown.sort(key=lambda item: (item.when, item.number), reverse=True)
    return Timeline(_joined(shown), last.number if last else None)


def _attempts(visits: Sequence[VisitEntries]) -> list[_Item]:
    return [
        _Item(
            entry.attempt.created_at,
            entry.attempt.id,
            replace(visit, entries=(entry,)),
        )
        for visit in visits
        for entry in visit.entries
    ]


def _runs(services: Services, wanted: Wanted, limit: int) -> list[_Item]:
    found = diary.runs(
        services,
        player_id=wanted.player_id,
        query=wanted.query,
        before=wanted.before,
        limit=limit,
    )
    return [
        _Item(
            entry.run.created_at,
            entry.run.id,
            LessonEntries(entry.lesson_id, entry.lesson_title, (entry,)),
        )
        for entry in found
    ]


def _reflections(
    services: Services, wanted: Wanted, *, since: datetime | None
) -> list[_Item]:
    """Return what was written in the time of a page."""
    found = diary.reflections(
        services,
        player_id=wanted.player_id,
        query=wanted.query,
        since=since,
        until=_until(services, wanted),
    )
    return [
        _Item(
            item.answered_at,
            0,
            LessonEntries(item.lesson_id, item.lesson_title, (item,)),
        )
        for item in found
    ]


def _until(services: Services, wanted: Wanted) -> datetime | None:
    """Return when the page before this one ended."""
    if wanted.before is None:
        return None
    return diary.began_at(services, player_id=wanted.player_id, number=wanted.before)


def _joined(items: Sequence[_Item]) -> tuple[Block, ...]:
    """Put what follows each other at one gate or in one lesson together."""
    blocks: list[Block] = []
    for item in items:
        last = blocks[-1] if blocks else None
        both = _both(last, item.block) if last is not None else None
        if both is None:
            blocks.append(item.block)
        else:
            blocks[-1] = both
    return tuple(blocks)


def _both(first: Block, second: Block) -> Block | None:
    """Return two blocks as one; None if they are of different visits or lessons."""
    if isinstance(first, VisitEntries) and isinstance(second, VisitEntries):
        if first.entries[0].attempt.visit_id != second.entries[0].attempt.visit_id:
            return None
        return replace(first, entries=(*first.entries, *second.entries))
    if isinstance(first, LessonEntries) and isinstance(second, LessonEntries):
        if first.lesson_title != second.lesson_title:
            return None
        return replace(first, entries=(*first.entries, *second.entries))
    return None
