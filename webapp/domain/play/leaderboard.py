"""The leaderboard. It reads solves only, so it stays fast as attempts grow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.domain.services import Services
from webapp.rows import Player, Solve

TIE_BREAKS = (
    "More points come first; then fewer attempts; then the earlier last win; then the "
    "earlier sign-up."
)
BOARD_ROWS = 100


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A player on the board; `attempts` are those up to each win, added up."""

    rank: int
    player_id: int
    alias: str
    points: int
    solved: int
    attempts: int
    last_solve: datetime


@dataclass(frozen=True, slots=True)
class Best:
    """A best win at a level: how much it took, and whose it was."""

    value: int
    alias: str


@dataclass(frozen=True, slots=True)
class LevelBest:
    """The best wins at a level: fewest attempts and shortest winning text."""

    level_id: str
    title: str
    winners: int
    fewest: Best | None
    shortest: Best | None


@dataclass(frozen=True, slots=True)
class Board:
    """The leaderboard of one class or of all. `version` changes when it does."""

    rows: tuple[BoardRow, ...]
    levels: tuple[LevelBest, ...]
    version: str


def board(services: Services, *, class_id: int | None = None) -> Board:
    """Return the leaderboard; players who chose not to be listed are left out."""
    with services.db.read() as session:
        rows = _rows(session, class_id)
        index = services.content.current()
        levels = tuple(
            _level_best(session, level.id, level.title, class_id)
            for ladder in index.ladders
            for level in index.levels(ladder)
        )
    version = hashlib.sha256(repr((rows, levels)).encode()).hexdigest()[:20]
    return Board(rows, levels, version)


def _rows(session: Session, class_id: int | None) -> tuple[BoardRow, ...]:
    points = func.sum(Solve.points)
    attempts = func.sum(Solve.attempts)
    last = func.max(Solve.solved_at)
    query = (
        select(
            Player.id,
            func.coalesce(Player.alias, Player.name),
            points,
            func.count(),
            attempts,
            last,
        )
        .join(Solve, Solve.player_id == Player.id)
        .where(Player.is_listed)
        .group_by(Player.id)
        .order_by(points.desc(), attempts, last, Player.id)
        .limit(BOARD_ROWS)
    )
    if class_id is not None:
        query = query.where(Player.class_id == class_id)
    return tuple(
        BoardRow(rank, player_id, alias, int(total), solved, int(tries), when)
        for rank, (player_id, alias, total, solved, tries, when) in enumerate(
            session.execute(query), start=1
        )
    )


def _level_best(
    session: Session, level_id: str, title: str, class_id: int | None
) -> LevelBest:
    at_level = [Solve.level_id == level_id, Player.is_listed]
    if class_id is not None:
        at_level.append(Player.class_id == class_id)
    base = (
        select(func.coalesce(Player.alias, Player.name))
        .join(Solve, Solve.player_id == Player.id)
        .where(*at_level)
        .limit(1)
    )
    fewest = session.execute(
        base.add_columns(Solve.attempts)
        .where(Solve.attempts > 0)
        .order_by(Solve.attempts, Solve.solved_at, Solve.id)
    ).first()
    shortest = session.execute(
        base.add_columns(Solve.chars)
        .where(Solve.chars.is_not(None))
        .order_by(Solve.chars, Solve.solved_at, Solve.id)
    ).first()
    winners = session.scalar(
        select(func.count())
        .select_from(Solve)
        .join(Player, Player.id == Solve.player_id)
        .where(*at_level)
    )
    return LevelBest(
        level_id=level_id,
        title=title,
        winners=winners or 0,
        fewest=Best(fewest[1], fewest[0]) if fewest else None,
        shortest=Best(shortest[1], shortest[0]) if shortest else None,
    )
