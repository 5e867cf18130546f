"""The leaderboard."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, request

from webapp.api.operations import Api
from webapp.api.records import BoardQuery, BoardRow, Leaderboard, LevelBest
from webapp.api.requests import services
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.play import leaderboard

api = Api("leaderboard")


@api.get("/leaderboard", problems=(304,))
def show_leaderboard(player: PlayerInfo, query: BoardQuery) -> Leaderboard | Response:
    """Show the leaderboard of all players or of your class.

    It has an ETag: send it back as `If-None-Match`, and while nothing has changed the
    answer is 304 without a body.
    """
    class_id = player.class_id if query.class_ == "mine" else None
    board = leaderboard.board(services(), class_id=class_id)
    found = Leaderboard(
        rows=tuple(_row(row, player) for row in board.rows),
        levels=tuple(LevelBest.model_validate(asdict(best)) for best in board.levels),
        tie_breaks=leaderboard.TIE_BREAKS,
    )
    response = Response(found.model_dump_json(), mimetype="application/json")
    response.set_etag(f"{board.version}-{player.id}")
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


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
