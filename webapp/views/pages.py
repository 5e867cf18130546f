"""Pages that only say something."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain.people import limits
from webapp.web import context
from webapp.web.context import services

bp = Blueprint("pages", __name__)


@bp.get("/rules")
def rules() -> ResponseReturnValue:
    """Say how the game works and what is kept about players."""
    player = context.player()
    settings = (
        limits.of_player(services(), player_id=player.id)
        if player
        else services().settings
    )
    return render_template("pages/rules.html", settings=settings)
