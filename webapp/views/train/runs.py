"""A run: how far it is, what it writes, what may be done; and several compared."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.train import loop, models, noting, runs
from webapp.errors import BackendError, Conflict, InvalidInput, LabError, NotFound
from webapp.llm.training_shapes import Curves, JobEvent
from webapp.views.train import shown
from webapp.web import context
from webapp.web.context import player_id, player_required, services

bp = Blueprint("train_runs", __name__, url_prefix="/train")

# What is told once it is asked for.
DONE: Final = {
    "pause": "It pauses after the step it is at.",
    "resume": "It goes on from where it was.",
    "cancel": "It stops after the step it is at. You can let it go on later.",
    "keep": "It stops, and what it has learned so far becomes your model.",
}


@bp.get("/runs/<int:run_id>")
@player_required
def run(run_id: int) -> ResponseReturnValue:
    """Show one's own run."""
    return render_template("train/run.html", source=loop.source(), **_values(run_id))


@bp.get("/runs/<int:run_id>/state")
@player_required
def state(run_id: int) -> ResponseReturnValue:
    """Show how far it is: the part of its page that changes."""
    return render_template("train/_state.html", **_values(run_id))


@bp.get("/runs/<int:run_id>/curves")
@player_required
def curves(run_id: int) -> ResponseReturnValue:
    """Return its curves so far, for the chart."""
    found = runs.find(services(), player_id=player_id(), run_id=run_id)
    points = runs.curves(services(), player_id=player_id(), run_id=run_id)
    return {**shown.chart_data([(found, points)]), "is_over": found.is_over}


@bp.post("/runs/<int:run_id>/<action>")
@player_required
def act(run_id: int, action: str) -> ResponseReturnValue:
    """Pause it, let it go on, stop it, or stop it and keep what it learned."""
    if action == "delete":
        return _delete(run_id)
    if action not in DONE:
        raise NotFound("There is no such button.")
    try:
        runs.act(services(), player_id=player_id(), run_id=run_id, action=action)
        flash(DONE[action], "success")
    except (BackendError, Conflict) as error:
        flash(error.message, "danger")
    return redirect(url_for("train_runs.run", run_id=run_id), 303)


@bp.post("/runs/<int:run_id>/note")
@player_required
def keep_note(run_id: int) -> ResponseReturnValue:
    """Keep what was seen in it."""
    typed = request.form.get("note", "")
    try:
        noting.keep(services(), player_id=player_id(), run_id=run_id, note=typed)
    except (Conflict, InvalidInput) as error:
        values = _values(run_id) | {"typed": typed, "problem": error.message}
        page = render_template("train/run.html", source=loop.source(), **values)
        return page, error.status
    flash("Saved.", "success")
    return redirect(url_for("train_runs.run", run_id=run_id) + "#note", 303)


@bp.get("/compare")
@player_required
def compare() -> ResponseReturnValue:
    """Show several runs: their curves in one chart, and where their settings differ."""
    given = ",".join(request.args.getlist("runs")).split(",")
    numbers = [int(text) for text in given if text.isdecimal() and len(text) < 10]
    found = runs.several(services(), player_id=player_id(), run_ids=numbers)
    views = [one for one, _ in found]
    return render_template(
        "train/compare.html",
        runs=views,
        chart=shown.chart_json(shown.chart_data(found)),
        settings=shown.settings_lines(views),
        results=shown.result_lines(views),
        most=runs.MOST_COMPARED,
    )


def _delete(run_id: int) -> ResponseReturnValue:
    try:
        models.delete(services(), player_id=player_id(), run_id=run_id)
    except (BackendError, Conflict) as error:
        flash(error.message, "danger")
        return redirect(url_for("train_runs.run", run_id=run_id), 303)
    flash("Deleted.", "success")
    return redirect(url_for("train.overview"), 303)


def _values(run_id: int) -> dict[str, Any]:
    found = runs.follow(services(), player_id=player_id(), run_id=run_id)
    points, told, away = _details(found)
    return {
        "run": found,
        "curves": points,
        "news": told,
        "away": away,
        "states": shown.STATES,
        "how_long": shown.how_long,
        "figure": shown.figure,
        "methods": shown.METHODS,
        "is_partial": context.is_partial(),
        "note_chars": noting.NOTE_CHARS,
    }


def _details(run: runs.RunView) -> tuple[Curves, tuple[JobEvent, ...], str]:
    """Return what there is to show besides the state, and why it may be missing."""
    if run.stale:
        return Curves(), (), run.stale
    try:
        return (
            runs.curves(services(), player_id=player_id(), run_id=run.id),
            runs.news(services(), player_id=player_id(), run_id=run.id),
            "",
        )
    except LabError as error:
        return Curves(), (), error.message
