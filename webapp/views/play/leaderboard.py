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
    """Show a page of the board of all players or of the player's own class.

    `season` is one that is past. `v` is the version that an open page shows: if it
    still holds, 204 leaves the page alone.
    """
    player = context.player()
    is_mine = player is not None and request.args.get("class") == "mine"
    class_id = player.class_id if player and is_mine else None
    past = leaderboard.past_seasons(services(), class_id=class_id) if class_id else ()
    season = request.args.get("season", type=int)
    season = season if season in past else None
    board = leaderboard.board(
        services(),
        class_id=class_id,
        season=season,
        page=request.args.get("page", 1, type=int),
        viewer_id=player.id if player else None,
    )
    if request.args.get("v") == board.version:
        return Response(status=204)
    template = "_board.html" if context.is_partial() else "board.html"
    response = make_response(
        render_template(
            f"play/leaderboard/{template}",
            board=board,
            is_mine=is_mine,
            past_seasons=past,
            season=season,
            tie_breaks=leaderboard.TIE_BREAKS,
        )
    )
    if context.is_partial():
        response.set_etag(board.version)
        response.headers["Cache-Control"] = "private, no-cache"
        return response.make_conditional(request)
    return response
