"""The leaderboard. It reads solves only, so it stays fast as attempts grow."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select
from sqlalchemy.orm import Session

from webapp.domain.people import rules
from webapp.domain.people.names import NAME_CHARS
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput, NotFound
from webapp.rows import PLAYER, Player, Solve
from webapp.text.words import find_key

TIE_BREAKS: Final = (
    "More points come first. If points are equal, wins without any message come last; "
    "then fewer attempts come first, then the earlier last win. Players who are equal "
    "in all of this share a rank."
)
PAGE_ROWS: Final = 50
LAST_PAGE: Final = 1_000_000
FOUND_ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A player on the board; `attempts` are those up to each win, added up.

    `place` counts the rows of the board from 1. Players who are equal share a `rank`,
    and `sharing` is how many do: 1 for a rank of one's own.
    """

    place: int
    rank: int
    sharing: int
    player_id: int
    alias: str
    points: int
    solved: int
    attempts: int
    last_solve: datetime

    @property
    def page(self) -> int:
        """The page of the board that the row is on."""
        return (self.place - 1) // PAGE_ROWS + 1


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
    """One page of the leaderboard of one class or of all.

    `players` are on all pages together. `mine` is the row of whoever looks, on whatever
    page it is. `version` changes when anything that is shown does.
    """

    rows: tuple[BoardRow, ...]
    page: int
    players: int
    mine: BoardRow | None
    levels: tuple[LevelBest, ...]
    today: date
    version: str

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, math.ceil(self.players / PAGE_ROWS))


def board(
    services: Services,
    *,
    class_id: int | None = None,
    season: int | None = None,
    page: int = 1,
    viewer_id: int | None = None,
) -> Board:
    """Return the leaderboard of this season, or of a past one of a class.

    Left out are staff, players whom an instructor has hidden, and those who chose not
    to be listed. Instead of a page that there is not, it is the first.
    """
    counted = _counted(class_id, season)
    with services.db.read() as session:
        standings = _standings(session, counted, page, viewer_id)
        if page != 1 and not standings.rows:
            page = 1
            standings = _standings(session, counted, page, viewer_id)
        index = services.content.current()
        held = rules.of_id(session, services, viewer_id)
        levels = tuple(
            _level_best(session, level.id, level.title, counted)
            for ladder in index.ladders
            for level in index.levels(ladder)
            if held.sees_level(index, level.id)
        )
    # The date, too: the page shows times of today and dates of all other days.
    today = services.now().date()
    seen = (standings, page, levels, today)
    version = hashlib.sha256(repr(seen).encode()).hexdigest()[:20]
    return Board(
        rows=standings.rows,
        page=page,
        players=standings.players,
        mine=standings.mine,
        levels=levels,
        today=today,
        version=version,
    )


def top(session: Session, *, class_id: int, count: int) -> tuple[BoardRow, ...]:
    """Return the first rows of the board of a class in this season."""
    standings = _standings(session, _counted(class_id, None), 1, None)
    return standings.rows[:count]


def search(
    services: Services,
    *,
    name: str,
    class_id: int | None = None,
    season: int | None = None,
) -> tuple[BoardRow, ...]:
    """Return the first rows of a board whose name contains `name`, at most ten.

    Raises InvalidInput for what is no name.
    """
    if len(name) > NAME_CHARS:
        raise InvalidInput(f"A name to look for has at most {NAME_CHARS} characters.")
    wanted = find_key(require_text(name, what="name").strip())
    if not wanted:
        return ()
    with services.db.read() as session:
        # Not by the database: no two agree on what a small letter is.
        query = select(_ranked(_counted(class_id, season)).subquery())
        rows = session.execute(query.order_by("place"))
        matching = (row for row in rows if wanted in find_key(row.alias))
        return tuple(_board_row(row) for row in islice(matching, FOUND_ROWS))


def past_seasons(services: Services, *, class_id: int) -> tuple[int, ...]:
    """Return the numbers of the past seasons of a class in which somebody won."""
    query = (
        select(Solve.season)
        .where(Solve.class_id == class_id, Solve.season.is_not(None))
        .distinct()
        .order_by(Solve.season)
    )
    with services.db.read() as session:
        return tuple(number for number in session.scalars(query) if number is not None)


def require_past_season(services: Services, class_id: int | None, season: int) -> None:
    """Raise NotFound unless somebody won in this past season of a class."""
    past = past_seasons(services, class_id=class_id) if class_id is not None else ()
    if season not in past:
        raise NotFound("Your class has no such past season on the leaderboard.")


_Conditions = tuple[ColumnElement[bool], ...]


def _counted(class_id: int | None, season: int | None) -> _Conditions:
    """Return which solves a board counts."""
    listed: _Conditions = (
        Player.is_listed.is_(True),
        Player.is_hidden.is_(False),
        Player.role == PLAYER,
    )
    if season is not None:
        # The class that it was then: somebody may have moved.
        return (*listed, Solve.season == season, Solve.class_id == class_id)
    now = (*listed, Solve.season.is_(None))
    return now if class_id is None else (*now, Player.class_id == class_id)


class _Standings(NamedTuple):
    rows: tuple[BoardRow, ...]
    players: int
    mine: BoardRow | None


def _standings(
    session: Session, counted: _Conditions, page: int, viewer_id: int | None
) -> _Standings:
    """Read one page and the viewer's own row, wherever it is, in one query."""
    board = _ranked(counted).subquery()
    first = (max(1, min(page, LAST_PAGE)) - 1) * PAGE_ROWS + 1
    places = board.c.place.between(first, first + PAGE_ROWS - 1)
    query = (
        select(board)
        .where(or_(places, board.c.player_id == viewer_id))
        .order_by(board.c.place)
    )
    found = [(_board_row(row), row.players) for row in session.execute(query)]
    return _Standings(
        rows=tuple(row for row, _ in found if row.page == page),
        players=found[0][1] if found else 0,
        mine=next((row for row, _ in found if row.player_id == viewer_id), None),
    )


def _board_row(row: Row[Any]) -> BoardRow:
    return BoardRow(
        place=row.place,
        rank=row.rank,
        sharing=row.sharing,
        player_id=row.player_id,
        alias=row.alias,
        points=int(row.points),
        solved=row.solved,
        attempts=int(row.attempts),
        last_solve=row.last_solve,
    )


def _ranked(counted: _Conditions) -> Select[Any]:
    points = func.sum(Solve.points)
    attempts = func.sum(Solve.attempts)
    last = func.max(Solve.solved_at)
    without_message = func.sum(case((Solve.attempts == 0, 1), else_=0))
    merit = (points.desc(), without_message, attempts, last)
    equals = (points, without_message, attempts, last)
    return (
        select(
            func.row_number().over(order_by=(*merit, Player.id)).label("place"),
            func.rank().over(order_by=merit).label("rank"),
            func.count().over(partition_by=equals).label("sharing"),
            func.count().over().label("players"),
            Player.id.label("player_id"),
            func.coalesce(Player.alias, Player.name).label("alias"),
            points.label("points"),
            func.count().label("solved"),
            attempts.label("attempts"),
            last.label("last_solve"),
        )
        .join(Solve, Solve.player_id == Player.id)
        .where(*counted)
        .group_by(Player.id)
    )


def _level_best(
    session: Session, level_id: str, title: str, counted: _Conditions
) -> LevelBest:
    at_level = (Solve.level_id == level_id, *counted)
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
