"""Who may see what somebody has made: only they, their class, or everybody."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.domain.people import classes
from webapp.domain.people.players import require_player
from webapp.errors import Conflict, InvalidInput
from webapp.rows import CLASS, PRIVATE, PUBLIC, VISIBILITIES, Player


def may_see(
    session: Session, player_id: int | None, *, owner: Player, visibility: str
) -> bool:
    """Tell whether somebody may see what an owner shows to whom."""
    if owner.id == player_id:
        return True
    if visibility == PRIVATE or owner.is_hidden:
        return False
    if visibility == PUBLIC:
        return True
    if player_id is None:
        return False
    own = classes.own_class(session, require_player(session, player_id))
    return own is not None and own == owner.class_id


def shown_to(
    session: Session, player_id: int | None, column: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """Return what finds the things of others that are shown to somebody.

    `column` says to whom each is shown; the query joins the players who own them.
    """
    may = column == PUBLIC
    if player_id is not None:
        own = classes.own_class(session, require_player(session, player_id))
        if own is not None:
            may |= (column == CLASS) & (Player.class_id == own)
    found = may & Player.is_hidden.is_(False)
    return found if player_id is None else found & (Player.id != player_id)


def check(session: Session, player_id: int, visibility: str) -> None:
    """Raise InvalidInput or Conflict if it cannot be shown to those."""
    if visibility not in VISIBILITIES:
        raise InvalidInput("Choose who may see it: only you, your class, or everybody.")
    player = require_player(session, player_id)
    if visibility == CLASS and classes.own_class(session, player) is None:
        raise Conflict("You are in no class, so there is nobody to show it to.")
