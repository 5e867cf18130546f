"""My notebook: every attempt of a player, kept for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from webapp.db import LAST_ID, find_row
from webapp.domain.play import disclosure, visits
from webapp.domain.play.attempts import AttemptView, attempt_views
from webapp.domain.services import Services
from webapp.domain.texts import fenced, require_text
from webapp.errors import InvalidInput, NotFound
from webapp.rows import (
    ATTEMPT,
    BLOCKED,
    FAILED,
    FINISHED,
    HELPED,
    INTERRUPTED,
    REFUSED,
    STOPPED,
    Attempt,
    Generation,
    Visit,
)
from webapp.text.words import find_key

# What may be asked for: visits that won, and what became of a message.
WON: Final = "won"
RESULTS: Final = {
    WON: "In a visit that won",
    "answered": "Answered",
    "stopped": "Stopped by a guard",
    "no-reply": "No whole reply",
}
_STATUSES: Final = {
    "answered": (FINISHED, HELPED, REFUSED),
    "stopped": (BLOCKED,),
    "no-reply": (STOPPED, FAILED, INTERRUPTED),
}
TITLE: Final = "# My Wordkeep notebook\n"
PAGE_ROWS = 20
QUERY_CHARS = 200
EXPORT_ROWS = 200
SEARCHED_ROWS = 500
NOTE_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An attempt with its number among all attempts of its player, from 1."""

    number: int
    attempt: AttemptView

    def as_dict(self) -> dict[str, Any]:
        """Return the attempt as it is exported."""
        return {"number": self.number, **self.attempt.as_dict()}

    def as_markdown(self) -> Iterator[str]:
        """Yield it as a part of a Markdown document; what was said is in fences."""
        attempt = self.attempt
        when = attempt.created_at.strftime("%Y-%m-%d %H:%M UTC")
        yield f"\n## {attempt.level_title}, attempt {self.number} ({when})\n"
        yield f"\nI wrote:\n\n{fenced(attempt.message)}\n"
        if attempt.reply is not None:
            said = "would have said" if attempt.status == BLOCKED else "said"
            yield f"\nThe warden {said}:\n\n{fenced(attempt.reply)}\n"
        if attempt.blocked_by:
            yield f"\nStopped by: {attempt.stopped_by}.\n"
        elif attempt.status not in {FINISHED, STOPPED}:
            yield f"\nNo reply: {attempt.status}.\n"
        if attempt.note:
            yield f"\nMy note:\n\n{fenced(attempt.note)}\n"


@dataclass(frozen=True, slots=True)
class VisitEntries:
    """What a page of the notebook has of one visit, newest first.

    `number` counts the player's visits to this level; `ended_why` is None while the
    visit is open.
    """

    level_title: str
    number: int
    ended_why: str | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class NotebookPage:
    """Some attempts by visit, newest first; `next_before` leads to older ones."""

    visits: tuple[VisitEntries, ...]
    next_before: int | None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries of the page."""
        return tuple(entry for visit in self.visits for entry in visit.entries)

    @property
    def items(self) -> tuple[AttemptView, ...]:
        """All attempts of the page."""
        return tuple(entry.attempt for entry in self.entries)


def search(
    services: Services,
    *,
    player_id: int,
    query: str = "",
    level_id: str | None = None,
    result: str | None = None,
    before: int | None = None,
    limit: int = PAGE_ROWS,
) -> NotebookPage:
    """Return attempts whose message, note or visible reply contains `query`.

    `result` is one of RESULTS; any other finds nothing.
    """
    if len(query) > QUERY_CHARS:
        raise InvalidInput(f"A search has at most {QUERY_CHARS:,} characters.")
    query = require_text(query, what="search")
    level_id = require_text(level_id, what="level") if level_id else None
    if before is not None:
        before = max(0, min(before, LAST_ID))
    with services.db.read() as session:
        return _page(
            session,
            services,
            player_id=player_id,
            query=query,
            level_id=level_id,
            result=result,
            before=before,
            limit=limit,
        )


def find(services: Services, *, player_id: int, attempt_id: int) -> AttemptView:
    """Return one attempt of this player; raise NotFound for anybody else's."""
    with services.db.read() as session:
        row = require_attempt(session, player_id, attempt_id)
        solved = visits.solved_levels(session, player_id)
        index = services.content.current()
        return attempt_views([row], index=index, solved=solved)[0]


def set_note(
    services: Services, *, player_id: int, attempt_id: int, note: str
) -> AttemptView:
    """Write the player's own note on an attempt; an empty one removes it."""
    if len(note) > NOTE_CHARS:
        raise InvalidInput(f"A note has at most {NOTE_CHARS:,} characters.")
    text = require_text(note, what="note").strip()
    with services.db.write() as session:
        require_attempt(session, player_id, attempt_id).note = text
    if not text:
        services.db.wipe()
    return find(services, player_id=player_id, attempt_id=attempt_id)


def export(services: Services, *, player_id: int) -> Iterator[Entry]:
    """Yield all attempts, newest first, a few at a time."""
    before: int | None = None
    while True:
        page = search(services, player_id=player_id, before=before, limit=EXPORT_ROWS)
        yield from page.entries
        if page.next_before is None:
            return
        before = page.next_before


def _page(
    session: Session,
    services: Services,
    *,
    player_id: int,
    query: str,
    level_id: str | None,
    result: str | None,
    before: int | None,
    limit: int,
) -> NotebookPage:
    solved = visits.solved_levels(session, player_id)
    rows = select(Attempt).where(
        Attempt.player_id == player_id, Attempt.feature == ATTEMPT
    )
    if level_id:
        rows = rows.where(Attempt.level_id == level_id)
    if result:
        rows = rows.where(_has_result(result, player_id))
    if before is not None:
        rows = rows.where(Generation.id < before)
    # By the id of the generation: that is in the index of the player's.
    rows = rows.order_by(Generation.id.desc())
    wanted = find_key(query.strip())
    if wanted:
        texts = rows.with_only_columns(
            Attempt.id,
            Attempt.message,
            Attempt.note,
            # A reply that a guard held back must not be found by its words either.
            case((disclosure.is_readable(solved), Attempt.reply), else_=""),
        )
        rows = rows.where(Generation.id.in_(_matching(session, texts, wanted, limit)))
    attempts = session.scalars(rows.limit(limit + 1)).all()
    items = attempt_views(
        attempts[:limit],
        index=services.content.current(),
        solved=solved,
    )
    numbers = _numbers(session, player_id, [item.id for item in items])
    entries = [Entry(numbers[item.id], item) for item in items]
    next_before = items[-1].id if len(attempts) > limit else None
    return NotebookPage(_by_visit(session, entries), next_before)


def _has_result(result: str, player_id: int) -> ColumnElement[bool]:
    if result == WON:
        won = select(Visit.id).where(
            Visit.player_id == player_id, Visit.ended_why == "win"
        )
        return Attempt.visit_id.in_(won)
    return Attempt.status.in_(_STATUSES.get(result, ()))


def _numbers(session: Session, player_id: int, ids: list[int]) -> dict[int, int]:
    """Return the number of each attempt among those of its player; `ids` fall."""
    if not ids:
        return {}
    own = (Generation.player_id == player_id, Generation.feature == ATTEMPT)
    before = select(func.count()).select_from(Generation)
    first = 1 + (session.scalar(before.where(*own, Generation.id < ids[-1])) or 0)
    between = select(Generation.id).where(
        *own, Generation.id >= ids[-1], Generation.id <= ids[0]
    )
    found = session.scalars(between.order_by(Generation.id))
    return {attempt_id: number for number, attempt_id in enumerate(found, first)}


def _by_visit(session: Session, entries: list[Entry]) -> tuple[VisitEntries, ...]:
    ids = {entry.attempt.visit_id for entry in entries}
    query = select(Visit.id, Visit.number, Visit.ended_why).where(Visit.id.in_(ids))
    known = {row.id: row for row in session.execute(query)}
    groups = groupby(entries, key=lambda entry: entry.attempt.visit_id)
    return tuple(
        VisitEntries(
            level_title=of_visit[0].attempt.level_title,
            number=known[visit_id].number,
            ended_why=known[visit_id].ended_why,
            entries=of_visit,
        )
        for visit_id, of_visit in ((n, tuple(some)) for n, some in groups)
    )


def _matching(
    session: Session, texts: Select[Any], wanted: str, limit: int
) -> list[int]:
    """Return the ids of the first rows, one more than `limit`, that contain `wanted`.

    The databases do not agree on what a small letter is, so it is looked for here.
    """
    few_at_a_time = {"yield_per": SEARCHED_ROWS}
    with session.execute(texts, execution_options=few_at_a_time) as found:
        matching = (
            number
            for number, *parts in found
            if any(wanted in find_key(part or "") for part in parts)
        )
        return list(islice(matching, limit + 1))


def require_attempt(session: Session, player_id: int, attempt_id: int) -> Attempt:
    """Return the row of an attempt of this player; raise NotFound for any other."""
    row = find_row(session, Attempt, attempt_id)
    if row is None or row.player_id != player_id:
        raise NotFound("There is no such attempt in your notebook.")
    return row
