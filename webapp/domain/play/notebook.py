"""My notebook: every attempt of a player, kept for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.domain.play import disclosure, visits
from webapp.domain.play.attempts import AttemptView, attempt_views
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput, NotFound
from webapp.rows import ATTEMPT, BLOCKED, FINISHED, STOPPED, Attempt, Generation

PAGE_ROWS = 20
EXPORT_ROWS = 200
NOTE_CHARS = 2_000
# PostgreSQL counts rows in 32 bits, SQLite in 64; both refuse to compare with more.
MAX_ID = 2**31


@dataclass(frozen=True, slots=True)
class NotebookPage:
    """Some attempts, newest first; `next_before` leads to older ones."""

    items: tuple[AttemptView, ...]
    next_before: int | None


def search(
    services: Services,
    *,
    player_id: int,
    query: str = "",
    level_id: str | None = None,
    before: int | None = None,
    limit: int = PAGE_ROWS,
) -> NotebookPage:
    """Return attempts whose message, note or visible reply contains `query`."""
    query = require_text(query, what="search")
    level_id = require_text(level_id, what="level") if level_id else None
    if before is not None:
        before = max(0, min(before, MAX_ID - 1))
    with services.db.read() as session:
        return _page(
            session,
            services,
            player_id=player_id,
            query=query,
            level_id=level_id,
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
    return find(services, player_id=player_id, attempt_id=attempt_id)


def export_jsonl(services: Services, *, player_id: int) -> Iterator[str]:
    """Yield all attempts, oldest last, one JSON object a line."""
    for attempt in _all(services, player_id):
        yield json.dumps(attempt.as_dict(), ensure_ascii=False) + "\n"


def export_markdown(services: Services, *, player_id: int) -> Iterator[str]:
    """Yield all attempts as a Markdown document; what was said is in fences."""
    yield "# My Wordkeep notebook\n"
    for attempt in _all(services, player_id):
        when = attempt.created_at.strftime("%Y-%m-%d %H:%M UTC")
        yield f"\n## {attempt.level_title}, attempt {attempt.id} ({when})\n"
        yield f"\nI wrote:\n\n{_fenced(attempt.message)}\n"
        if attempt.reply is not None:
            said = "would have said" if attempt.status == BLOCKED else "said"
            yield f"\nThe warden {said}:\n\n{_fenced(attempt.reply)}\n"
        if attempt.blocked_by:
            yield f"\nBlocked by: {attempt.blocked_by}.\n"
        elif attempt.status not in {FINISHED, STOPPED}:
            yield f"\nNo reply: {attempt.status}.\n"
        if attempt.note:
            yield f"\nMy note:\n\n{_fenced(attempt.note)}\n"


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _all(services: Services, player_id: int) -> Iterator[AttemptView]:
    before: int | None = None
    while True:
        page = search(services, player_id=player_id, before=before, limit=EXPORT_ROWS)
        yield from page.items
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
    before: int | None,
    limit: int,
) -> NotebookPage:
    solved = visits.solved_levels(session, player_id)
    rows = select(Attempt).where(
        Attempt.player_id == player_id, Attempt.feature == ATTEMPT
    )
    if level_id:
        rows = rows.where(Attempt.level_id == level_id)
    if before is not None:
        rows = rows.where(Generation.id < before)
    if query.strip():
        wanted = query.strip()
        # A reply that a guard held back must not be found by its words either.
        is_readable = disclosure.is_readable(solved)
        rows = rows.where(
            or_(
                Attempt.message.icontains(wanted, autoescape=True),
                Attempt.note.icontains(wanted, autoescape=True),
                is_readable & Attempt.reply.icontains(wanted, autoescape=True),
            )
        )
    # By the id of the generation: that is in the index of the player's.
    attempts = session.scalars(
        rows.order_by(Generation.id.desc()).limit(limit + 1)
    ).all()
    items = attempt_views(
        attempts[:limit], index=services.content.current(), solved=solved
    )
    return NotebookPage(items, items[-1].id if len(attempts) > limit else None)


def require_attempt(session: Session, player_id: int, attempt_id: int) -> Attempt:
    """Return the row of an attempt of this player; raise NotFound for any other."""
    is_possible = 0 < attempt_id < MAX_ID
    row = session.get(Attempt, attempt_id) if is_possible else None
    if row is None or row.player_id != player_id:
        raise NotFound("There is no such attempt in your notebook.")
    return row
