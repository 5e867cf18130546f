"""Joining once, however often the same form arrives."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from webapp.domain.people.accounts import NewPlayer, create_player
from webapp.domain.services import Services
from webapp.errors import Conflict
from webapp.rows import Player
from webapp.security import derived_code, new_code, token_digest

# A second click comes within seconds; so does a form that is sent again after a fault.
SAME_FORM = timedelta(minutes=2)


def join(
    services: Services, *, form: str, name: str, class_code: str | None = None
) -> NewPlayer:
    """Join under a nickname; give the same player to a form that was just sent.

    `form` is a mark that only this form in this browser has. The recovery code is made
    from it, so that both answers show the same one. Raise Conflict if somebody else
    has the nickname.
    """
    code = derived_code(services.key, f"form\x1f{form}")
    found = _owner(services, code)
    if found is not None and _is_new(services, found):
        return _shown(found, code)
    if found is not None:
        code = new_code()
    try:
        return create_player(services, name=name, class_code=class_code, code=code)
    except Conflict:
        # At the same moment, the other click was faster.
        found = _owner(services, code)
        if found is None:
            raise
        return _shown(found, code)


def _owner(services: Services, code: str) -> Player | None:
    with services.db.read() as session:
        return session.scalar(
            select(Player).where(Player.recovery_digest == token_digest(code))
        )


def _is_new(services: Services, player: Player) -> bool:
    return services.now() - player.created_at <= SAME_FORM


def _shown(player: Player, code: str) -> NewPlayer:
    return NewPlayer(player.id, player.name, code)
