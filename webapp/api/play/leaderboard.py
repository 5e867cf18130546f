"""The leaderboard."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import Field

from webapp.api.operations import Api, unless_known
from webapp.api.records import Answer, Given
from webapp.db import LAST_ID
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.play import leaderboard
from webapp.web.context import services

api = Api("leaderboard")


class BoardQuery(Given):
    """Whose leaderboard."""

    class_: Literal["all", "mine"] = Field(
        "all", alias="class", description="All players, or those of your class."
    )
    page: int = Field(
        1,
        ge=1,
        le=leaderboard.LAST_PAGE,
        description=f"Which {leaderboard.PAGE_ROWS} rows; after the last, the first.",
    )
    season: int | None = Field(
        None,
        ge=1,
        le=LAST_ID,
        description="A past season of your class; without it, this season.",
    )


class BoardRow(Answer):
    """A player on the leaderboard."""

    rank: int = Field(description="Players who are equal in everything share one.")
    alias: str
    points: int
    solved: int
    attempts: int = Field(description="Attempts up to each win, added up.")
    last_solve: datetime
    you: bool


class Best(Answer):
    """The best win of its kind, and whose it is."""

    value: int
    alias: str


class LevelBest(Answer):
    """The best wins at a level."""

    level_id: str
    title: str
    winners: int
    fewest: Best | None = Field(description="Fewest attempts.")
    shortest: Best | None = Field(description="Fewest characters.")


class Leaderboard(Answer):
    """One page of the leaderboard. It counts solved levels only."""

    rows: tuple[BoardRow, ...]
    page: int
    pages: int
    players: int = Field(description="Players on all pages.")
    mine: BoardRow | None = Field(description="Your row, on whatever page it is.")
    levels: tuple[LevelBest, ...]
    tie_breaks: str


@api.get("/leaderboard", problems=(304, 404))
def show_leaderboard(player: PlayerInfo, query: BoardQuery) -> Leaderboard | Response:
    """Show a page of the leaderboard of all players or of your class.

    It has an ETag: send it back as `If-None-Match`, and while nothing has changed the
    answer is 304 without a body.
    """
    class_id = player.class_id if query.class_ == "mine" else None
    if query.season is not None:
        leaderboard.require_past_season(services(), class_id, query.season)
    board = leaderboard.board(
        services(),
        class_id=class_id,
        season=query.season,
        page=query.page,
        viewer_id=player.id,
    )
    answer = Leaderboard(
        rows=tuple(_row(row, player) for row in board.rows),
        page=board.page,
        pages=board.pages,
        players=board.players,
        mine=_row(board.mine, player) if board.mine else None,
        levels=tuple(LevelBest.model_validate(asdict(best)) for best in board.levels),
        tie_breaks=leaderboard.TIE_BREAKS,
    )
    response = Response(answer.model_dump_json(), mimetype="application/json")
    response.set_etag(f"{board.version}-{player.id}")
    response.headers["Cache-Control"] = "private, no-cache"
    return unless_known(response)


def _row(row: leaderboard.BoardRow, player: PlayerInfo) -> BoardRow:
    return BoardRow(
        rank=row.rank,
        alias=row.alias,
        points=row.points,
        solved=row.solved,
        attempts=row.attempts,
        last_solve=row.last_solve,
        you=row.player_id == player.id,
    )
