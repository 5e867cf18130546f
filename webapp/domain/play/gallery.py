"""The gallery of a gate: how others of the class opened it, for those who have, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.domain.people import pieces, roster
from webapp.domain.people.pieces import PieceInfo, Spot
from webapp.domain.people.players import require_player
from webapp.domain.people.roster import Actor
from webapp.domain.play import visits
from webapp.domain.play.ending import winning_words
from webapp.domain.play.keep import SECRET_MARK
from webapp.domain.play.notebook import require_attempt
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden
from webapp.rows import BLOCKED, COUNTED, Attempt, Solve, Visit
from webapp.text.masking import masked

CHOICES_SHOWN: Final = 30
WIN: Final = "win"
NOT_WON: Final = "The gallery opens once you have opened this gate yourself."


@dataclass(frozen=True, slots=True)
class AttemptPiece:
    """An attempt in the gallery, with a mark in place of its password.

    `reply` is what the model said, also where a guard stopped it; None where the
    password is not known any more, so that nothing could be covered.
    """

    piece: PieceInfo
    message: str
    reply: str | None
    is_blocked: bool
    is_winning: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An attempt of one's own that can be handed in."""

    id: int
    message: str
    is_winning: bool


def hand_in(
    services: Services, *, player_id: int, attempt_id: int, note: str = ""
) -> str:
    """Show an attempt at a gate to one's class; return the id of the level.

    Raises NotFound, InvalidInput, Forbidden before the gate is open, or Conflict while
    its visit goes on: the password of that one is still to be found.
    """
    text = pieces.clean_note(note)
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        row = require_attempt(session, player_id, attempt_id)
        require_won(session, player_id, row.level_id)
        visit = session.get_one(Visit, row.visit_id)
        if visit.ended_at is None:
            raise Conflict(
                "This conversation is still going on. Choose a message of one that "
                "is over."
            )
        if row.status not in COUNTED:
            raise Conflict("This message got no reply, so there is nothing to show.")
        pieces.put(
            session,
            services,
            player_id=player_id,
            spot=Spot(row.level_id),
            generation_id=row.id,
            note=text,
        )
        return row.level_id


def take_back(services: Services, *, player_id: int, level_id: str) -> None:
    """Take one's own attempt out of the gallery, if it is there."""
    level = services.content.current().level(level_id)
    pieces.take_back(services, player_id=player_id, spot=Spot(level.id))


def class_gallery(
    services: Services, *, player_id: int, level_id: str
) -> tuple[AttemptPiece, ...]:
    """Return what the player's class shows; Forbidden before one's own win."""
    level = services.content.current().level(level_id)
    with services.db.read() as session:
        player = require_player(session, player_id)
        require_won(session, player_id, level_id)
        shown = pieces.of_class(session, player, Spot(level_id))
        return with_attempts(session, services, level, shown)


def taught_gallery(
    services: Services, *, actor: Actor, level_id: str
) -> tuple[AttemptPiece, ...]:
    """Return what the classes show that somebody teaches, hidden pieces as well."""
    level = services.content.current().level(level_id)
    taught = roster.taught(services, actor=actor)
    with services.db.read() as session:
        shown = pieces.of_classes(session, taught, Spot(level_id), actor.player_id)
        return with_attempts(session, services, level, shown)


def choices(services: Services, *, player_id: int, level_id: str) -> tuple[Choice, ...]:
    """Return what a player can hand in: of visits that are over, winning ones first."""
    is_winning = Visit.ended_why == WIN
    query = (
        select(Attempt.id, Attempt.message, is_winning)
        .join(Visit, Visit.id == Attempt.visit_id)
        .where(
            Visit.player_id == player_id,
            Visit.level_id == level_id,
            Visit.ended_at.is_not(None),
            Attempt.status.in_(COUNTED),
        )
        .order_by(case((is_winning, 0), else_=1), Attempt.id.desc())
        .limit(CHOICES_SHOWN)
    )
    with services.db.read() as session:
        return tuple(Choice(*row) for row in session.execute(query))


def require_won(session: Session, player_id: int, level_id: str) -> None:
    """Raise Forbidden unless a player has opened a gate in this season."""
    if level_id not in visits.solved_levels(session, player_id):
        raise Forbidden(NOT_WON, code="not_won")


def with_attempts(
    session: Session,
    services: Services,
    level: Level,
    shown: tuple[PieceInfo, ...],
) -> tuple[AttemptPiece, ...]:
    """Return pieces of a gate with what was said, the passwords covered."""
    ids = [piece.generation_id for piece in shown]
    query = (
        select(Attempt, Visit)
        .join(Visit, Visit.id == Attempt.visit_id)
        .where(Attempt.id.in_(ids), Visit.ended_at.is_not(None))
    )
    found = {row.id: (row, visit) for row, visit in session.execute(query)}
    return tuple(
        _piece(session, services, level, piece, *found[piece.generation_id])
        for piece in shown
        if piece.generation_id in found
    )


def _piece(
    session: Session,
    services: Services,
    level: Level,
    piece: PieceInfo,
    row: Attempt,
    visit: Visit,
) -> AttemptPiece:
    word = _word(session, services, level, visit)
    return AttemptPiece(
        piece=replace(piece, note=_covered(piece.note, word)),
        message=_covered(row.message, word),
        reply=_covered(row.reply or "", word) if word else None,
        is_blocked=row.status == BLOCKED,
        is_winning=visit.ended_why == WIN,
    )


def _covered(text: str, word: str) -> str:
    return masked(text, word, SECRET_MARK)


def _word(session: Session, services: Services, level: Level, visit: Visit) -> str:
    """Return the password of a visit that is over; "" if it is not known any more."""
    try:
        return visits.visit_secret(services, visit, level).reveal()
    except Conflict:
        won = session.scalars(select(Solve).where(Solve.visit_id == visit.id))
        return winning_words(session, won).get(visit.id, "")
