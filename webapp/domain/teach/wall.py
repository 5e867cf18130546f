"""The wall: what a projector shows of a class. It reads solves only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.db import find_row
from webapp.domain.people import roster
from webapp.domain.people.classes import ClassInfo, class_info
from webapp.domain.people.players import shown_name
from webapp.domain.people.roster import Actor
from webapp.domain.play import leaderboard
from webapp.domain.play.leaderboard import BoardRow
from webapp.domain.services import Services
from webapp.errors import Forbidden, NotFound
from webapp.rows import PLAYER, Player, SchoolClass, Solve
from webapp.security import constant_time_equal, keyed_digest

TOP_ROWS: Final = 10
WINS_SHOWN: Final = 5
KEY_CHARS: Final = 20
NOT_FOR_YOU: Final = (
    "This wall is for the instructor of its class, and for whoever has the link to it "
    "of now. Ask the instructor for the link."
)


@dataclass(frozen=True, slots=True)
class Win:
    """A gate that somebody of the class has opened, and with how many messages."""

    id: int
    name: str
    gate: str
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GateBar:
    """How many of the class have opened a gate; `share` is 0 to 1."""

    number: int
    title: str
    winners: int
    share: float


@dataclass(frozen=True, slots=True)
class Wall:
    """A class on the wall: its first ten, its last wins, newest first, and its gates.

    `version` changes when anything that is shown does.
    """

    info: ClassInfo
    is_joinable: bool
    players: int
    rows: tuple[BoardRow, ...]
    wins: tuple[Win, ...]
    gates: tuple[GateBar, ...]
    version: str


def link_key(services: Services, info: ClassInfo) -> str:
    """Return the key of the link to a wall; a new join code makes another one."""
    text = f"wall\x1f{info.id}\x1f{info.join_code}"
    return keyed_digest(services.key, text)[:KEY_CHARS]


def wall(
    services: Services, *, class_id: int, actor: Actor | None = None, key: str = ""
) -> Wall:
    """Return the wall of a class, for its instructor or for the key of its link.

    Raises Forbidden for all others, whether there is such a class or not.
    """
    is_taught = actor is not None and class_id in roster.taught(services, actor=actor)
    with services.db.read() as session:
        row = find_row(session, SchoolClass, class_id)
        if row is None:
            raise Forbidden(NOT_FOR_YOU)
        info = class_info(row)
        if not is_taught and not constant_time_equal(key, link_key(services, info)):
            raise Forbidden(NOT_FOR_YOU)
        index = services.content.current()
        players = _players(session, class_id)
        winners = _winners(session, class_id)
        rows = leaderboard.top(session, class_id=class_id, count=TOP_ROWS)
        wins = _wins(session, index, class_id)
        gates = _gates(index, winners, players)
    seen = (info, row.is_joinable, players, rows, wins, gates)
    version = hashlib.sha256(repr(seen).encode()).hexdigest()[:20]
    return Wall(
        info=info,
        is_joinable=row.is_joinable,
        players=players,
        rows=rows,
        wins=wins,
        gates=gates,
        version=version,
    )


def _players(session: Session, class_id: int) -> int:
    query = select(func.count()).where(
        Player.class_id == class_id, Player.role == PLAYER
    )
    return session.scalar(query) or 0


def _winners(session: Session, class_id: int) -> dict[str, int]:
    """Count by level who has opened it this season, on the board or not."""
    query = (
        select(Solve.level_id, func.count())
        .join(Player, Player.id == Solve.player_id)
        .where(
            Player.class_id == class_id,
            Player.role == PLAYER,
            Solve.season.is_(None),
        )
        .group_by(Solve.level_id)
    )
    return dict(iter(session.execute(query)))


def _gates(index: Index, winners: dict[str, int], players: int) -> tuple[GateBar, ...]:
    """Return the gates of the ladder that the class has opened most of."""
    ladders = [index.levels(name) for name in index.ladders]
    won = [sum(winners.get(level.id, 0) for level in levels) for levels in ladders]
    levels = ladders[won.index(max(won))] if ladders else ()
    return tuple(
        GateBar(
            number=number,
            title=level.title,
            winners=winners.get(level.id, 0),
            share=winners.get(level.id, 0) / players if players else 0.0,
        )
        for number, level in enumerate(levels, start=1)
    )


def _wins(session: Session, index: Index, class_id: int) -> tuple[Win, ...]:
    query = (
        select(Solve, Player)
        .join(Player, Player.id == Solve.player_id)
        .where(
            Player.class_id == class_id,
            Player.role == PLAYER,
            Solve.season.is_(None),
        )
        .order_by(Solve.id.desc())
        .limit(WINS_SHOWN)
    )
    return tuple(
        Win(
            id=solve.id,
            name=shown_name(player),
            gate=_title(index, solve.level_id),
            attempts=solve.attempts,
            at=solve.solved_at,
        )
        for solve, player in session.execute(query)
    )


def _title(index: Index, level_id: str) -> str:
    try:
        return index.level(level_id).title
    except NotFound:
        return level_id
