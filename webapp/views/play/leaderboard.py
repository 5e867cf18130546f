"""The leaderboard, which keeps itself up to date."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from webapp.domain.play import leaderboard
from webapp.web import context
from webapp.web.context import services

bp = Blueprint("leaderboard", __name__)


@bp.get("/leaderboard")
def board() -> ResponseReturnValue:
    """Show the board of all players or of the player's own class.

    `v` is the version that an open page shows: if it still holds, 204 leaves the page
    alone.
    """
    player = context.player()
    is_mine = player is not None and request.args.get("class") == "mine"
    board = leaderboard.board(
        services(), class_id=player.class_id if player and is_mine else None
    )
    if request.args.get("v") == board.version:
        return Response(status=204)
    template = "_board.html" if context.is_partial() else "board.html"
    response = make_response(
        render_template(
            f"play/leaderboard/{template}",
            board=board,
            is_mine=is_mine,
            tie_breaks=leaderboard.TIE_BREAKS,
        )
    )
    if context.is_partial():
        response.set_etag(board.version)
        response.headers["Cache-Control"] = "private, no-cache"
        return response.make_conditional(request)
    return response
