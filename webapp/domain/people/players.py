"""Finding a player, and the season of the player's class."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.errors import NotFound
from webapp.rows import Player, SchoolClass

SOMEBODY: Final = "Somebody"


def require_player(session: Session, player_id: int, *, lock: bool = False) -> Player:
    """Return a player; `lock` makes other writers of this player wait."""
    query = select(Player).where(Player.id == player_id)
    player = session.scalar(query.with_for_update() if lock else query)
    if player is None:
        raise NotFound("This player no longer exists.")
    return player


def class_season(session: Session, player: Player) -> int:
    """Return the season of the player's class."""
    season = session.scalar(
        select(SchoolClass.season).where(SchoolClass.id == player.class_id)
    )
    return season or 1


def shown_name(player: Player) -> str:
    """Return what others may call a player: nothing of one who is on no board."""
    if player.is_hidden or not player.is_listed:
        return SOMEBODY
    return player.alias or player.name
