"""Names of people and classes: which are allowed, and which are taken.

Nicknames and aliases share one space in a class, and names that look alike count as the
same. The names of instructors are taken in every class.
"""

from __future__ import annotations

import unicodedata

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.errors import Conflict, InvalidInput
from webapp.rows import PLAYER, Player, SchoolClass, TakenName
from webapp.text.characters import count_characters
from webapp.text.names import looks, name_key, why_unreadable

NAME_CHARS = 24
# One character may consist of several, or stand for up to 18 when names are compared.
NAME_PARTS = 80


def clean_line(text: str, *, what: str, fewest: int, most: int) -> str:
    """Return a name in one line as it is shown; raise InvalidInput if it is not one."""
    shown = " ".join(unicodedata.normalize("NFC", text).split())
    if not fewest <= count_characters(shown) <= most:
        raise InvalidInput(f"A {what} has {fewest} to {most} characters.")
    # First of all: a flag of a thousand parts would take long to look at.
    if len(shown) > max(most, NAME_PARTS):
        raise InvalidInput(
            f"This {what} has characters that consist of too many parts. "
            "Choose simpler ones."
        )
    fault = why_unreadable(shown)
    if fault is not None:
        raise InvalidInput(f"This {what} {fault}. Choose another one.")
    return shown


def clean_name(name: str) -> tuple[str, str]:
    """Return a nickname as shown and as looked up, or raise InvalidInput."""
    shown = clean_line(name, what="nickname", fewest=2, most=NAME_CHARS)
    key = name_key(shown)
    if not any(character.isalnum() for character in key):
        raise InvalidInput("A nickname needs at least one letter or digit.")
    if len(key) > NAME_PARTS:
        raise InvalidInput(
            "This nickname has characters that stand for whole sentences."
        )
    return shown, key


def take_name(session: Session, player: Player, name: str | None) -> None:
    """Make a nickname or alias the player's; raise Conflict if it is taken.

    Call it when `player.name` and `player.alias` are as they will be: what neither of
    them looks like any more is free again, and with None that is all that happens.
    """
    is_staff = player.role != PLAYER
    if is_staff:
        _wait_for_all_classes(session)
    session.flush()
    kept = looks(player.name) | looks(player.alias or "")
    of_player = TakenName.player_id == player.id
    session.execute(delete(TakenName).where(of_player, TakenName.look.not_in(kept)))
    if name is None:
        return
    owned = set(session.scalars(select(TakenName.look).where(of_player)))
    session.add_all(
        TakenName(class_id=player.class_id, player_id=player.id, look=look)
        for look in sorted(looks(name) - owned)
    )
    taken = _taken(name, is_alias=name != player.name)
    try:
        session.flush()
    except IntegrityError as error:
        raise taken from error
    _require_unreserved(session, player, name, is_staff=is_staff)


def take_names_along(session: Session, player: Player) -> None:
    """Take the player's names in the class to which the player has just moved."""
    session.execute(delete(TakenName).where(TakenName.player_id == player.id))
    for name in filter(None, (player.name, player.alias)):
        take_name(session, player, name)


def _wait_for_all_classes(session: Session) -> None:
    """Keep players from joining any class while an instructor's name is looked for."""
    ids = select(SchoolClass.id).order_by(SchoolClass.id).with_for_update()
    with session.no_autoflush:
        session.execute(ids).all()


def _require_unreserved(
    session: Session, player: Player, name: str, *, is_staff: bool
) -> None:
    """Raise Conflict if this is an instructor's name, or an instructor's is in use."""
    others = (
        select(Player.name, SchoolClass.name)
        .join(TakenName, TakenName.player_id == Player.id)
        .join(SchoolClass, SchoolClass.id == Player.class_id)
        .where(TakenName.look.in_(looks(name)), Player.id != player.id)
    )
    if not is_staff:
        others = others.where(Player.role != PLAYER)
    found = session.execute(others.limit(1)).one_or_none()
    if found is None:
        return
    if not is_staff:
        raise Conflict(
            "An instructor has this name, or one that looks the same. Choose another "
            "one.",
            code="name_taken",
        )
    raise Conflict(
        f'In the class "{found[1]}", somebody has the name "{name}", or one that looks '
        "the same. An instructor's name must not be mistaken for anybody else's: "
        "choose another one.",
        code="name_taken",
    )


def _taken(name: str, *, is_alias: bool) -> Conflict:
    advice = "." if is_alias else ", or sign in if it is you."
    return Conflict(
        f'Somebody in this class is already called "{name}", or has a name that looks '
        f"the same. Choose another one{advice}",
        code="name_taken",
    )
