"""What training is, one's own models and data, and what others show."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain.train import data, models, runs
from webapp.web import context
from webapp.web.context import services

bp = Blueprint("train", __name__)


@bp.get("/train")
def overview() -> ResponseReturnValue:
    """Show how it is done, to anybody, and what one has done."""
    player = context.player()
    player_id = player.id if player else None
    own: tuple[runs.RunView, ...] = ()
    files: tuple[data.DataView, ...] = ()
    allowed = services().settings.training_minutes_per_day
    stale, left = "", allowed
    if player_id is not None:
        own, stale = runs.mine(services(), player_id=player_id)
        files = data.mine(services(), player_id=player_id)
        left = runs.minutes_left(services(), player_id=player_id)
        allowed = runs.minutes_allowed(services(), player_id=player_id)
    return render_template(
        "train/overview.html",
        runs=own,
        files=files,
        others=models.published(services(), player_id=player_id),
        stale=stale,
        left=left,
        allowed=allowed,
    )
