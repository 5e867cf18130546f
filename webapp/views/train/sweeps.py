"""A sweep: the curves of three runs in one chart, and what was seen at their end."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain.train import sweeping, sweeps
from webapp.views.train import shown
from webapp.web.context import player_id, player_required, services

bp = Blueprint("train_sweeps", __name__, url_prefix="/train/sweeps")


@bp.get("/<int:sweep_id>")
@player_required
def sweep(sweep_id: int) -> ResponseReturnValue:
    """Show one's own sweep."""
    return render_template("train/sweep.html", **_values(sweep_id))


@bp.get("/<int:sweep_id>/state")
@player_required
def state(sweep_id: int) -> ResponseReturnValue:
    """Show how far it is: the part of its page that changes."""
    return render_template("train/_sweep.html", **_values(sweep_id))


@bp.get("/<int:sweep_id>/curves")
@player_required
def curves(sweep_id: int) -> ResponseReturnValue:
    """Return the curves so far, for the chart."""
    found = sweeps.curves(services(), player_id=player_id(), sweep_id=sweep_id)
    is_over = all(run.is_over for run, _ in found)
    return {**shown.chart_data(found), "is_over": is_over}


def _values(sweep_id: int) -> dict[str, Any]:
    found = sweeps.find(services(), player_id=player_id(), sweep_id=sweep_id)
    verdict = found.verdict
    return {
        "sweep": found,
        "what": sweeping.WHATS[found.what],
        "guess": sweeping.GUESSES[found.guess],
        "guessed": "" if verdict is None else sweeping.guessed(found.guess, verdict),
        "figure": shown.figure,
    }
