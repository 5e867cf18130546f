"""Finding a player, and the season of the player's class."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.errors import Conflict, NotFound
from webapp.rows import Player, SchoolClass

SOMEBODY: Final = "Somebody"


def require_player(session: Session, player_id: int, *, lock: bool = False) -> Player:
    """Return a player; `lock` makes other writers of this player wait."""
    query = select(Player).where(Player.id == player_id)
    player = session.scalar(query.with_for_update() if lock else query)
    if player is None:
        raise NotFound("This player no longer exists.")
    return player


def require_room(
    session: Session, kind: type[Any], player_id: int, *, most: int, what: str
) -> None:
    """Raise Conflict if a player keeps `most` rows of a kind already; `what` they are.

    The caller has locked the player.
    """
    count = session.scalar(
        select(func.count()).select_from(kind).where(kind.player_id == player_id)
    )
    if (count or 0) >= most:
        raise Conflict(
            f"You have {most} {what}, which is as many as one person may keep. Delete "
            "one first."
        )


def class_season(session: Session, player: Player) -> int:
    """Return the season of the player's class."""
    row = session.get(SchoolClass, player.class_id)
    return 1 if row is None else row.season


def shown_name(player: Player) -> str:
    """Return what others may call a player: nothing of one who is on no board."""
    if player.is_hidden or not player.is_listed:
        return SOMEBODY
    return player.alias or player.name
