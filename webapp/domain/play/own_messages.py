"""What a player wrote to wardens, to learn from: without any password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.play import visits
from webapp.domain.play.ending import winning_words
from webapp.domain.services import Services
from webapp.errors import Conflict, NotFound
from webapp.rows import COUNTED, Attempt, Solve, Visit
from webapp.text.masking import masked

MOST: Final = 1_000
_MARK: Final = "\0"


@dataclass(frozen=True, slots=True)
class OwnMessages:
    """Different messages, newest first, and how many were left out for a password."""

    messages: tuple[str, ...]
    left_out: int


def own_messages(services: Services, *, player_id: int) -> OwnMessages:
    """Return what a player wrote in visits that are over; of nobody else.

    Left out is what contains a password of one of these visits, and what was written
    in a visit whose password is not known any more. A visit that goes on is not looked
    at: what is left out of it would tell its password. Messages that a person or the
    help answered are not there either. Line breaks are spaces.
    """
    with services.db.read() as session:
        query = select(Visit).where(
            Visit.player_id == player_id, Visit.ended_at.is_not(None)
        )
        ended = session.scalars(query).all()
        words = {visit.id: _word(session, services, visit) for visit in ended}
        rows = session.execute(
            select(Attempt.message, Attempt.visit_id)
            .where(
                Attempt.player_id == player_id,
                Attempt.status.in_(COUNTED),
                Attempt.visit_id.in_(list(words)),
            )
            .order_by(Attempt.id.desc())
            .limit(MOST)
        ).all()
    secrets = {word for word in words.values() if word}
    kept: dict[str, None] = {}
    left_out = 0
    for message, visit_id in rows:
        text = " ".join(message.split())
        if not text:
            continue
        if not words[visit_id] or _tells(text, secrets):
            left_out += 1
        else:
            kept[text] = None
    return OwnMessages(tuple(kept), left_out)


def _tells(text: str, secrets: set[str]) -> bool:
    return any(_MARK in masked(text, word, _MARK) for word in secrets)


def _word(session: Session, services: Services, visit: Visit) -> str:
    try:
        level = services.content.current().level(visit.level_id)
        return visits.visit_secret(services, visit, level).reveal()
    except (Conflict, NotFound):
        won = session.scalars(select(Solve).where(Solve.visit_id == visit.id))
        found: Mapping[int, str] = winning_words(session, won)
        return found.get(visit.id, "")
