"""Players: joining, signing in, coming back, leaving."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp import meters
from webapp.domain.people import access, leftovers, limits, moving
from webapp.domain.people.classes import class_for
from webapp.domain.people.names import clean_name, take_name
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.errors import Conflict, InvalidInput, NotSignedIn
from webapp.once import once
from webapp.rows import (
    INSTRUCTOR,
    PLAYER,
    ROLES,
    ApiToken,
    DataFile,
    GalleryPiece,
    Generation,
    Guess,
    HintUse,
    LabTree,
    PanelHint,
    PanelState,
    PieceVote,
    Player,
    QuestionAnswer,
    SchoolClass,
    SignIn,
    Solve,
    Teaching,
    TrainedModel,
    Usage,
    Visit,
)
from webapp.security import (
    derived_code,
    new_token,
    normalise_code,
    password_forms,
    prepare_password,
    token_digest,
)
from webapp.text.names import name_key

PASSWORD_CHARS = (8, 200)
WRONG_SIGN_IN = "Nobody in this class has this nickname and password."
WRONG_CODE = "No player has this recovery code. Check it character by character."


@dataclass(frozen=True, slots=True)
class NewPlayer:
    """A player who has just joined. The code cannot be read again without its seed."""

    player_id: int
    name: str
    recovery_code: str
    code_seed: str


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
    is_hidden: bool
    # Whether rude words are dots in all that this player is shown.
    masks_rude: bool
    created_at: datetime

    @property
    def is_instructor(self) -> bool:
        """Whether the player may see the teaching pages."""
        return self.role != PLAYER


class Proven(NamedTuple):
    """Who somebody has proved to be. It is worth nothing once the stamp changes."""

    player_id: int
    stamp: str


class NewCode(NamedTuple):
    """A recovery code, and the seed that gives it again on this server only."""

    text: str
    seed: str


class SignedIn(NamedTuple):
    """Whom a browser is signed in as, and the code that it has yet to write down."""

    player: PlayerInfo
    unread_code: NewCode | None


# A hash takes 64 MB and a core for a moment; whoever comes meanwhile waits.
_HASHING: Final = threading.BoundedSemaphore(4)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@once
def _decoy_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def create_player(
    services: Services,
    *,
    name: str,
    class_code: str | None = None,
    role: str = PLAYER,
    password: str | None = None,
    code_seed: str | None = None,
    is_listed: bool = True,
    is_invited: bool = False,
) -> NewPlayer:
    """Join a class under a nickname; raise Conflict if somebody there has it.

    Raise Conflict with the code `join_closed` if the class takes nobody new, unless
    this one is invited, and QuotaExceeded if it has taken enough for now.

    `code_seed` gives the recovery code, which nobody else may have; by default it is
    random. Who is not listed is on no board.
    """
    shown, key = clean_name(name)
    if role not in ROLES:
        raise InvalidInput(f'"{role}" is not a role; choose one of {", ".join(ROLES)}.')
    hashed = _hash(password) if password is not None else None
    code = _new_code(services, code_seed)
    now = services.now()
    player = Player(
        name=shown,
        name_key=key,
        role=role,
        is_listed=is_listed,
        password_hash=hashed,
        recovery_digest=token_digest(code.text),
        session_stamp=access.new_stamp(),
        created_at=now,
        came_at=None if is_invited else now,
    )
    try:
        with services.db.write() as session:
            school_class = class_for(session, services, class_code)
            if role == PLAYER and not is_invited:
                limits.require_joinable(session, services, school_class)
            player.class_id = school_class.id
            session.add(player)
            take_name(session, player, shown)
            if role == INSTRUCTOR:
                session.add(Teaching(class_id=player.class_id, player_id=player.id))
    except IntegrityError as error:
        raise Conflict(
            "This form was sent twice at the same moment. Send it once more."
        ) from error
    meters.SIGN_UPS.inc()
    return NewPlayer(player.id, shown, *code)


def sign_in(
    services: Services, *, name: str, password: str, class_code: str | None = None
) -> Proven:
    """Return the player with this name and password; else NotSignedIn."""
    key = name_key(name)
    with services.db.read() as session:
        query = select(Player).where(Player.name_key == key)
        if class_code:
            query = query.join(SchoolClass, SchoolClass.id == Player.class_id).where(
                SchoolClass.join_code == normalise_code(class_code)
            )
        players = session.scalars(query.order_by(Player.id).limit(20)).all()
    for player in players:
        if player.password_hash and _verify(player.password_hash, password):
            return Proven(player.id, player.session_stamp)
    if not any(player.password_hash for player in players):
        # As slow as a real check, so that timing does not reveal who has a password.
        _verify(_decoy_hash(), password)
    raise NotSignedIn(WRONG_SIGN_IN, code="wrong_sign_in")


def recover(services: Services, *, code: str, new_password: str | None = None) -> int:
    """Return the id of the player whom a recovery code belongs to; else NotSignedIn.

    All other browsers are signed out. Whoever has the code may set a new password:
    so it undoes what somebody did at an open browser.
    """
    hashed = _hash(new_password) if new_password else None
    wanted = Player.recovery_digest == token_digest(normalise_code(code))
    with services.db.read() as session:
        is_known = session.scalar(select(Player.id).where(wanted)) is not None
    if not is_known:
        raise NotSignedIn(WRONG_CODE, code="wrong_code")
    with services.db.write() as session:
        player = session.scalar(select(Player).where(wanted).with_for_update())
        if player is None:
            # At the same moment, a new code took its place.
            raise NotSignedIn(WRONG_CODE, code="wrong_code")
        if hashed is not None:
            player.password_hash = hashed
        access.renew(session, player)
    return player.id


def player_info(services: Services, player_id: int) -> PlayerInfo | None:
    """Return a player, or None if that player no longer exists."""
    with services.db.read() as session:
        row = session.execute(_with_class().where(Player.id == player_id)).one_or_none()
        return None if row is None else _info(row[0], row[1])


def player_by_key(services: Services, key: str) -> SignedIn | None:
    """Return whom a browser with this key is signed in as, or None."""
    query = (
        _with_class()
        .join(SignIn, SignIn.player_id == Player.id)
        .where(SignIn.digest == token_digest(key), SignIn.stamp == Player.session_stamp)
        .add_columns(SignIn.code_seed)
    )
    with services.db.read() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        return None
    player, school_class, seed = row
    code = None if seed is None else _new_code(services, seed)
    return SignedIn(_info(player, school_class), code)


def player_by_token(services: Services, token: str) -> PlayerInfo | None:
    """Return the player whom an API token belongs to, or None."""
    query = (
        _with_class()
        .join(ApiToken, ApiToken.player_id == Player.id)
        .where(
            ApiToken.digest == token_digest(token),
            ApiToken.stamp == Player.session_stamp,
        )
    )
    with services.db.read() as session:
        row = session.execute(query).one_or_none()
        return None if row is None else _info(row[0], row[1])


def create_token(services: Services, *, player_id: int) -> str:
    """Make a new API token. It replaces the older ones and is shown once."""
    token = new_token()
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        access.note_arrival(services, player)
        session.execute(delete(ApiToken).where(ApiToken.player_id == player_id))
        session.add(
            ApiToken(
                player_id=player_id,
                digest=token_digest(token),
                stamp=player.session_stamp,
                created_at=services.now(),
            )
        )
    return token


def set_password(
    services: Services, *, player_id: int, new: str, proof: str
) -> NewCode | None:
    """Set a password; all sign-ins and tokens end.

    `proof` is the password so far or the recovery code: whoever finds an open browser
    knows neither. If it is the password, somebody else may have known it too and have
    made the recovery code: then a new code is returned, and the old one ends.
    """
    hashed = _hash(new)
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        is_code = _prove(player, proof)
        player.password_hash = hashed
        access.renew(session, player)
        return None if is_code else give_code(services, player)


def set_alias(
    services: Services, *, player_id: int, alias: str, is_listed: bool
) -> None:
    """Choose the name on the leaderboard (empty: the nickname), or stay off it."""
    shown = clean_name(alias)[0] if alias.strip() else None
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        player.alias = shown
        player.is_listed = is_listed
        take_name(session, player, shown)


def rotate_recovery_code(services: Services, *, player_id: int, proof: str) -> NewCode:
    """Replace the recovery code; the old one, and all sign-ins and tokens, end.

    `proof` is the password or the recovery code so far.
    """
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        _prove(player, proof)
        access.renew(session, player)
        return give_code(services, player)


def join_class(services: Services, *, player_id: int, code: str) -> str:
    """Move a player, with all progress, to another class; return its name."""
    if not normalise_code(code):
        raise InvalidInput("Type the join code that your instructor gave you.")
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        school_class = class_for(session, services, code)
        if player.class_id != school_class.id:
            limits.require_joinable(session, services, school_class)
        moving.move(session, player, school_class)
    return school_class.name


def delete_player(services: Services, *, player_id: int) -> None:
    """Delete a player and everything kept about them, permanently."""
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        left = leftovers.of_players(session, [player.id])
        forget(session, [player])
    services.db.wipe()
    leftovers.clear(services, left)


def forget(session: Session, players: Sequence[Player]) -> None:
    """Delete all rows of some players."""
    tables = (
        LabTree,
        TrainedModel,
        DataFile,
        PieceVote,
        GalleryPiece,
        PanelState,
        PanelHint,
        QuestionAnswer,
        Solve,
        Guess,
        Generation,
        HintUse,
        Visit,
        ApiToken,
        SignIn,
    )
    ids = [player.id for player in players]
    for table in tables:
        session.execute(delete(table).where(table.player_id.in_(ids)))
    _forget_usage(session, ids)
    for player in players:
        session.delete(player)


def _forget_usage(session: Session, ids: Sequence[int]) -> None:
    """Delete what was counted for players, whatever it was."""
    ends = tuple(f":{scope}:{one}" for one in ids for scope in ("player", "share"))
    scopes = set(session.scalars(select(Usage.scope).distinct()))
    found = [scope for scope in scopes if scope.endswith(ends)]
    session.execute(delete(Usage).where(Usage.scope.in_(found)))


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
        panels = session.scalars(
            select(PanelState)
            .where(PanelState.player_id == player_id)
            .order_by(PanelState.lesson_id, PanelState.panel)
        )
        answers = session.scalars(
            select(QuestionAnswer)
            .where(QuestionAnswer.player_id == player_id)
            .order_by(QuestionAnswer.created_at)
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
                    **({"past_season": s.season} if s.season else {}),
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
            "panels": [
                {
                    "lesson": p.lesson_id,
                    "panel": p.panel,
                    "best": p.best,
                    "passed_at": p.passed_at and p.passed_at.isoformat(),
                    "with_help": p.is_helped,
                }
                for p in panels
            ],
            "answers": [
                {
                    "lesson": a.lesson_id,
                    "question": a.question,
                    "answer": a.answer,
                    "right": a.is_right,
                    "answered_at": a.answered_at.isoformat(),
                }
                for a in answers
            ],
        }


def _with_class() -> Select[Player, SchoolClass]:
    return select(Player, SchoolClass).join(
        SchoolClass, SchoolClass.id == Player.class_id
    )


def _info(player: Player, school_class: SchoolClass) -> PlayerInfo:
    return PlayerInfo(
        id=player.id,
        name=player.name,
        alias=player.alias,
        role=player.role,
        class_id=player.class_id,
        class_name=school_class.name,
        has_password=player.password_hash is not None,
        is_listed=player.is_listed,
        is_hidden=player.is_hidden,
        masks_rude=player.role == PLAYER and school_class.masks_rude,
        created_at=player.created_at,
    )


def _new_code(services: Services, seed: str | None = None) -> NewCode:
    seed = seed or secrets.token_hex(16)
    return NewCode(derived_code(services.key, seed), seed)


def give_code(services: Services, player: Player) -> NewCode:
    """Give a player a new recovery code; the old one ends."""
    code = _new_code(services)
    player.recovery_digest = token_digest(code.text)
    return code


def _prove(player: Player, proof: str) -> bool:
    """Return whether `proof` is the recovery code; raise InvalidInput if it is wrong.

    The only other right answer is the password.
    """
    if token_digest(normalise_code(proof)) == player.recovery_digest:
        return True
    if player.password_hash and _verify(player.password_hash, proof):
        return False
    either = "the current password or the" if player.password_hash else "the"
    raise InvalidInput(f"This is not {either} recovery code.", code="wrong_password")


def _hash(password: str) -> str:
    least, most = PASSWORD_CHARS
    prepared = prepare_password(password)
    if not least <= len(prepared) <= most:
        raise InvalidInput(f"A password has {least} to {most} characters.")
    with _HASHING:
        return _hasher().hash(prepared)


def _verify(hashed: str, password: str) -> bool:
    return any(map(partial(_matches, hashed), password_forms(password)))


def _matches(hashed: str, password: str) -> bool:
    try:
        with _HASHING:
            return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
