"""Who may act for a player: browsers that are signed in, and programs with a token.

Each of them carries the stamp of its player: a new stamp ends them all, and also a
sign-in whose proof is older.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.rows import ApiToken, Player, SignIn
from webapp.security import new_token, token_digest

# More browsers than these are never one person's; the oldest is signed out.
MOST_SIGN_INS = 20


def new_stamp() -> str:
    """Return a stamp that nobody has yet."""
    return secrets.token_hex(8)


def note_arrival(services: Services, player: Player) -> None:
    """Keep when somebody came for the first time."""
    if player.came_at is None:
        player.came_at = services.now()


def renew(session: Session, player: Player) -> None:
    """End every sign-in and token of a player."""
    renew_all(session, [player])


def renew_all(session: Session, players: Sequence[Player]) -> None:
    """End every sign-in and token of some players."""
    ids = [player.id for player in players]
    for player in players:
        player.session_stamp = new_stamp()
    for table in (SignIn, ApiToken):
        session.execute(delete(table).where(table.player_id.in_(ids)))


def begin(
    services: Services,
    *,
    player_id: int,
    stamp: str | None = None,
    code_seed: str | None = None,
) -> str:
    """Sign a browser in; return the key that its cookie shall keep.

    `stamp` is that of the proof: if another one is in force by now, the key opens
    nothing. `code_seed` gives the recovery code that this browser shows until it is
    put away.
    """
    key = new_token()
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        note_arrival(services, player)
        session.add(
            SignIn(
                player_id=player_id,
                digest=token_digest(key),
                stamp=stamp or player.session_stamp,
                code_seed=code_seed,
                created_at=services.now(),
            )
        )
        session.flush()
        _forget_oldest(session, player_id)
    return key


def end(services: Services, *, key: str) -> None:
    """Sign one browser out for good: its cookie, and every copy of it, ends."""
    with services.db.write() as session:
        session.execute(delete(SignIn).where(SignIn.digest == token_digest(key)))


def end_all(services: Services, *, player_id: int) -> None:
    """Sign a player out everywhere, programs included."""
    with services.db.write() as session:
        renew(session, require_player(session, player_id, lock=True))


def put_code_away(services: Services, *, key: str) -> None:
    """Stop showing the recovery code in a browser: it has been written down."""
    with services.db.write() as session:
        row = session.scalar(select(SignIn).where(SignIn.digest == token_digest(key)))
        if row is not None:
            row.code_seed = None


def _forget_oldest(session: Session, player_id: int) -> None:
    kept = (
        select(SignIn.id)
        .where(SignIn.player_id == player_id)
        .order_by(SignIn.id.desc())
        .limit(MOST_SIGN_INS)
    )
    ids = session.scalars(kept).all()
    session.execute(
        delete(SignIn).where(SignIn.player_id == player_id, SignIn.id < min(ids))
    )
