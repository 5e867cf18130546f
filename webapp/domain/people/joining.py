"""Joining once, however often the same form arrives."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from webapp.domain.people.accounts import NewPlayer, create_player
from webapp.domain.services import Services
from webapp.errors import Conflict
from webapp.rows import Player
from webapp.security import derived_code, token_digest

# A second click comes within seconds; so does a form that is sent again after a fault.
SAME_FORM = timedelta(minutes=2)


def join(
    services: Services,
    *,
    form: str,
    name: str,
    class_code: str | None = None,
    is_listed: bool = True,
) -> NewPlayer:
    """Join under a nickname; give the same player to a form that was just sent.

    `form` is a mark that only this form in this browser has. The recovery code is made
    from it, so that both answers show the same one. Raise Conflict if somebody else
    has the nickname.
    """
    seed: str | None = token_digest(f"form\x1f{form}")
    found = _owner(services, seed)
    if found is not None:
        player, again = found
        if services.now() - player.created_at <= SAME_FORM:
            return again
        seed = None
    try:
        return create_player(
            services,
            name=name,
            class_code=class_code,
            code_seed=seed,
            is_listed=is_listed,
        )
    except Conflict:
        # At the same moment, the other click was faster.
        found = _owner(services, seed)
        if found is None:
            raise
        return found[1]


def _owner(services: Services, seed: str | None) -> tuple[Player, NewPlayer] | None:
    """Return the player whose recovery code a seed gives, if there is one."""
    if seed is None:
        return None
    code = derived_code(services.key, seed)
    with services.db.read() as session:
        player = session.scalar(
            select(Player).where(Player.recovery_digest == token_digest(code))
        )
    if player is None:
        return None
    return player, NewPlayer(player.id, player.name, code, seed)
