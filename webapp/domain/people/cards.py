"""Cards to cut out, one for each player, with the code that signs the player in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from webapp.domain.people import access, roster
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.errors import InvalidInput
from webapp.rows import PLAYER, Player
from webapp.security import derived_code, token_digest


@dataclass(frozen=True, slots=True)
class Card:
    """A nickname and its recovery code: whoever has the card can play as this one."""

    name: str
    code: str


def code_of(services: Services, form: str, whose: str) -> str:
    """Return the recovery code that a form gives somebody: the same if sent twice."""
    return derived_code(services.key, token_digest(f"card\x1f{form}\x1f{whose}"))


def renew(
    services: Services,
    *,
    actor: Actor,
    class_id: int,
    form: str,
    chosen: Collection[int] | None,
) -> tuple[Card, ...]:
    """Give players of a class new codes, and return their cards by name.

    `chosen` are some who have not come yet; None is everybody, and who has come is
    signed out everywhere. `form` is a mark that only this form has: sent twice, it
    gives the same codes.
    """
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        wanted = select(Player).where(Player.class_id == row.id, Player.role == PLAYER)
        if chosen is not None:
            wanted = wanted.where(Player.id.in_(chosen), Player.came_at.is_(None))
        players = session.scalars(
            wanted.order_by(Player.name_key).with_for_update()
        ).all()
        if not players:
            raise InvalidInput("Choose at least one player who has not come yet.")
        access.renew_all(session, players)
        cards = []
        for player in players:
            code = code_of(services, form, str(player.id))
            player.recovery_digest = token_digest(code)
            cards.append(Card(player.name, code))
        what = f"gave {len(cards):,} new recovery codes"
        roster.note_act(session, services, actor, None, what, class_id=row.id)
    return tuple(cards)
