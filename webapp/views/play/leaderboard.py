"""The leaderboard, which keeps itself up to date."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import SearchField

from webapp.domain.people import classes
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.people.classes import ClassInfo
from webapp.domain.play import leaderboard
from webapp.domain.play.leaderboard import BoardRow
from webapp.errors import InvalidInput
from webapp.web import context
from webapp.web.context import services
from webapp.web.forms import LabForm

bp = Blueprint("leaderboard", __name__)

MINE = "mine"


class NameForm(LabForm):
    """Whom to look for on the board. It changes nothing, so it needs no token."""

    class Meta:
        csrf = False

    q = SearchField("Find a name")


@bp.get("/leaderboard")
def board() -> ResponseReturnValue:
    """Show a page of the board of all players or of a class.

    `class` is “mine”, or for staff the number of any. `season` is one that is past.
    `q` is a name to look for. `v` is the version that an open page shows: if it still
    holds, 204 leaves the page alone.
    """
    player = context.player()
    listed = classes.classes(services()) if player and player.is_instructor else ()
    chosen, class_id = _chosen(player, listed)
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
    shown = {"board": board, "chosen": chosen, "season": season}
    if context.is_partial():
        response = make_response(
            render_template("play/leaderboard/_board.html", **shown)
        )
        response.set_etag(board.version)
        response.headers["Cache-Control"] = "private, no-cache"
        return response.make_conditional(request)
    form, status = NameForm(request.args), 200
    found: tuple[BoardRow, ...] = ()
    try:
        found = leaderboard.search(
            services(), name=form.text("q"), class_id=class_id, season=season
        )
    except InvalidInput as error:
        status = form.refuse("q", error)
    page = render_template(
        "play/leaderboard/board.html",
        **shown,
        classes=listed,
        class_id=class_id,
        past_seasons=past,
        tie_breaks=leaderboard.TIE_BREAKS,
        form=form,
        found=found,
    )
    return page, status


def _chosen(
    player: PlayerInfo | None, listed: tuple[ClassInfo, ...]
) -> tuple[str | int | None, int | None]:
    """Return whose board is asked for, as the address says it, and the class's id."""
    if player is not None and request.args.get("class") == MINE:
        return MINE, player.class_id
    number = request.args.get("class", type=int)
    is_there = any(info.id == number for info in listed)
    return (number, number) if is_there else (None, None)
