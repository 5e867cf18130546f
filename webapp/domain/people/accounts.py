"""Players: joining, signing in, coming back, leaving."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.domain.people.classes import class_for
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.errors import Conflict, InvalidInput, NotSignedIn
from webapp.rows import (
    PLAYER,
    ROLES,
    ApiToken,
    Generation,
    Guess,
    HintUse,
    Player,
    SchoolClass,
    Solve,
    Usage,
    Visit,
)
from webapp.security import new_code, new_token, normalise_code, token_digest

NAME_CHARS = 24
# Single characters may stand for up to 18 letters when names are compared.
NAME_KEY_CHARS = 80
PASSWORD_CHARS = (8, 200)
WRONG_SIGN_IN = "Nobody in this class has this nickname and password."


@dataclass(frozen=True, slots=True)
class NewPlayer:
    """A player who has just joined. The code is shown once and cannot be read again."""

    player_id: int
    name: str
    recovery_code: str


@dataclass(frozen=True, slots=True)
class PlayerInfo:
    """What pages and the API may know of a signed-in player."""

    id: int
    name: str
    alias: str | None
    role: str
    class_id: int
    class_name: str
    has_password: bool
    is_listed: bool
    session_stamp: str
    created_at: datetime

    @property
    def is_instructor(self) -> bool:
        """Whether the player may see the teaching pages."""
        return self.role != PLAYER


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _decoy_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def create_player(
    services: Services,
    *,
    name: str,
    class_code: str | None = None,
    role: str = PLAYER,
    password: str | None = None,
    code: str | None = None,
) -> NewPlayer:
    """Join a class under a nickname; raise Conflict if somebody there has it.

    `code` is the recovery code, which nobody else may have; by default a random one.
    """
    shown, key = clean_name(name)
    if role not in ROLES:
        raise InvalidInput(f'"{role}" is not a role; choose one of {", ".join(ROLES)}.')
    hashed = _hash(password) if password is not None else None
    code = code or new_code()
    player = Player(
        name=shown,
        name_key=key,
        role=role,
        is_listed=True,
        password_hash=hashed,
        recovery_digest=token_digest(code),
        session_stamp=secrets.token_hex(8),
        created_at=services.now(),
    )
    try:
        with services.db.write() as session:
            player.class_id = class_for(session, services, class_code).id
            session.add(player)
            session.flush()
    except IntegrityError as error:
        raise _name_taken(shown) from error
    return NewPlayer(player.id, shown, code)


def clean_name(name: str) -> tuple[str, str]:
    """Return a nickname as shown and as compared, or raise InvalidInput."""
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not 2 <= len(shown) <= NAME_CHARS:
        raise InvalidInput(f"A nickname has 2 to {NAME_CHARS} characters.")
    for character in shown:
        # Invisible and direction-changing characters would let two names look the same.
        if unicodedata.category(character)[0] not in "LMNPSZ":
            raise InvalidInput(
                "A nickname cannot hold the invisible character "
                f"U+{ord(character):04X}."
            )
    key = unicodedata.normalize("NFKC", shown).casefold()
    if not any(character.isalnum() for character in key):
        raise InvalidInput("A nickname needs at least one letter or digit.")
    if len(key) > NAME_KEY_CHARS:
        raise InvalidInput(
            "This nickname has characters that stand for whole sentences."
        )
    return shown, key


def sign_in(
    services: Services, *, name: str, password: str, class_code: str | None = None
) -> int:
    """Return the id of the player with this name and password; else NotSignedIn."""
    key = unicodedata.normalize("NFKC", " ".join(name.split())).casefold()
    with services.db.read() as session:
        query = select(Player).where(Player.name_key == key)
        if class_code:
            query = query.join(SchoolClass, SchoolClass.id == Player.class_id).where(
                SchoolClass.join_code == normalise_code(class_code)
            )
        players = session.scalars(query.order_by(Player.id).limit(20)).all()
    for player in players:
        if player.password_hash and _verify(player.password_hash, password):
            return player.id
    if not any(player.password_hash for player in players):
        # As slow as a real check, so that timing does not reveal who has a password.
        _verify(_decoy_hash(), password)
    raise NotSignedIn(WRONG_SIGN_IN)


def recover(services: Services, *, code: str) -> int:
    """Return the id of the player whom a recovery code belongs to; else NotSignedIn."""
    digest = token_digest(normalise_code(code))
    with services.db.read() as session:
        player_id = session.scalar(
            select(Player.id).where(Player.recovery_digest == digest)
        )
    if player_id is None:
        raise NotSignedIn(
            "No player has this recovery code. Check it character by character."
        )
    return player_id


def player_info(services: Services, player_id: int) -> PlayerInfo | None:
    """Return a player, or None if that player no longer exists."""
    with services.db.read() as session:
        return _info(session, Player.id == player_id)


def player_by_token(services: Services, token: str) -> PlayerInfo | None:
    """Return the player whom an API token belongs to, or None."""
    with services.db.read() as session:
        player_id = session.scalar(
            select(ApiToken.player_id).where(ApiToken.digest == token_digest(token))
        )
        return None if player_id is None else _info(session, Player.id == player_id)


def create_token(services: Services, *, player_id: int) -> str:
    """Make a new API token. It replaces the older ones and is shown once."""
    token = new_token()
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        session.execute(delete(ApiToken).where(ApiToken.player_id == player_id))
        session.add(
            ApiToken(
                player_id=player_id,
                digest=token_digest(token),
                created_at=services.now(),
            )
        )
    return token


def set_password(
    services: Services, *, player_id: int, new: str, current: str | None = None
) -> None:
    """Set a password; a player who has one must know it. Other browsers sign out."""
    hashed = _hash(new)
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        if player.password_hash and not _verify(player.password_hash, current or ""):
            raise InvalidInput(
                "The current password is not right.", code="wrong_password"
            )
        player.password_hash = hashed
        player.session_stamp = secrets.token_hex(8)


def set_alias(
    services: Services, *, player_id: int, alias: str, is_listed: bool
) -> None:
    """Choose the name on the leaderboard (empty: the nickname), or stay off it."""
    shown = clean_name(alias)[0] if alias.strip() else None
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        player.alias = shown
        player.is_listed = is_listed


def rotate_recovery_code(services: Services, *, player_id: int) -> str:
    """Replace the recovery code; the old one stops working."""
    code = new_code()
    with services.db.write() as session:
        require_player(session, player_id, lock=True).recovery_digest = token_digest(
            code
        )
    return code


def join_class(services: Services, *, player_id: int, code: str) -> str:
    """Move a player, with all progress, to another class; return its name."""
    if not normalise_code(code):
        raise InvalidInput("Type the join code that your instructor gave you.")
    try:
        with services.db.write() as session:
            player = require_player(session, player_id, lock=True)
            school_class = class_for(session, services, code)
            player.class_id = school_class.id
            name = player.name
            session.flush()
    except IntegrityError as error:
        raise _name_taken(name) from error
    return school_class.name


def delete_player(services: Services, *, player_id: int) -> None:
    """Delete a player and everything kept about them, permanently."""
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        for table in (Solve, Guess, Generation, HintUse, Visit, ApiToken):
            session.execute(delete(table).where(table.player_id == player_id))
        session.execute(
            delete(Usage).where(Usage.scope.endswith(f":player:{player_id}"))
        )
        session.delete(player)


def profile(services: Services, *, player_id: int) -> dict[str, Any]:
    """Return what is kept about a player besides attempts, for the export."""
    with services.db.read() as session:
        player = require_player(session, player_id)
        guesses = session.scalars(
            select(Guess).where(Guess.player_id == player_id).order_by(Guess.id)
        )
        solves = session.scalars(
            select(Solve).where(Solve.player_id == player_id).order_by(Solve.id)
        )
        hints = session.scalars(
            select(HintUse)
            .where(HintUse.player_id == player_id)
            .order_by(HintUse.created_at)
        )
        return {
            "name": player.name,
            "alias": player.alias,
            "role": player.role,
            "is_listed": player.is_listed,
            "created_at": player.created_at.isoformat(),
            "solves": [
                {
                    "level": s.level_id,
                    "points": s.points,
                    "attempts": s.attempts,
                    "solved_at": s.solved_at.isoformat(),
                }
                for s in solves
            ],
            "guesses": [
                {
                    "level": g.level_id,
                    "guess": g.guess,
                    "correct": g.is_correct,
                    "created_at": g.created_at.isoformat(),
                }
                for g in guesses
            ],
            "hints": [
                {"level": h.level_id, "n": h.number, "cost": h.cost} for h in hints
            ],
        }


def _info(session: Session, condition: Any) -> PlayerInfo | None:
    row = session.execute(
        select(Player, SchoolClass.name)
        .join(SchoolClass, SchoolClass.id == Player.class_id)
        .where(condition)
    ).one_or_none()
    if row is None:
        return None
    player, class_name = row
    return PlayerInfo(
        id=player.id,
        name=player.name,
        alias=player.alias,
        role=player.role,
        class_id=player.class_id,
        class_name=class_name,
        has_password=player.password_hash is not None,
        is_listed=player.is_listed,
        session_stamp=player.session_stamp,
        created_at=player.created_at,
    )


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f'Somebody in this class is already called "{name}". Choose another nickname, '
        "or sign in if it is you.",
        code="name_taken",
    )


def _hash(password: str) -> str:
    least, most = PASSWORD_CHARS
    if not least <= len(password) <= most:
        raise InvalidInput(f"A password has {least} to {most} characters.")
    return _hasher().hash(password)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
