"""Trials in the browser: is a level or panel as its author says, and how hard is it?"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.writing import trials
from webapp.domain.writing.tried import Line
from webapp.errors import Conflict, InvalidInput
from webapp.web.context import instructor, instructor_required, services

bp = Blueprint("trials", __name__, url_prefix="/teach/trials")

# How pages call a state, and the mark that goes with it.
STATES: Final = {
    "waiting": ("Waiting in line", "draft", "hourglass"),
    "running": ("Being played", "draft", "hourglass"),
    "finished": ("Done", "open", "check"),
    "failed": ("Failed", "stopped", "cross"),
    "stopped": ("Stopped", "shut", "stop"),
    "interrupted": ("Interrupted", "stopped", "warn"),
}
# What is said of the lines of a proof; of a panel it is said otherwise.
LINES: Final = {
    "solved_by": "Must win",
    "not_solved_by": "Must not win",
    "benign": "Must be answered",
}
PANEL_LINES: Final = {
    "solved_by": "Must pass",
    "not_solved_by": "Must not pass",
    "mistake": "A named mistake, which must not pass",
    "mutant": "A way to cheat, which must not pass",
}


@bp.app_template_filter("trial_state")
def _state_words(state: str) -> tuple[str, str, str]:
    """Return how a state is called, its kind of mark and its icon."""
    return STATES[state]


@bp.app_template_filter("line_words")
def _line_words(line: Line) -> str:
    """Return what must come of a line of a proof."""
    return (LINES if line.chance is None else PANEL_LINES)[line.kind]


@bp.get("")
@instructor_required
def index() -> ResponseReturnValue:
    """Show every level and panel with its proof, or one `thing` and its trials."""
    trials.tend(services())
    thing = request.args.get("thing", "")
    if thing:
        tried = trials.latest(services(), thing)
        return render_template("teach/tried.html", tried=tried)
    listed = trials.things(services())
    groups = [(name, list(of)) for name, of in groupby(listed, lambda one: one.group)]
    return render_template("teach/trials.html", groups=groups)


@bp.post("")
@instructor_required
def start() -> ResponseReturnValue:
    """Put a trial in line and go to its page."""
    thing = request.form.get("thing", "")
    try:
        trial_id = trials.start(
            services(),
            actor_id=instructor().id,
            kind=request.form.get("kind", ""),
            thing=thing,
            size=request.form.get("size", ""),
        )
    except (Conflict, InvalidInput) as error:
        flash(error.message, "danger")
        return redirect(url_for("trials.index", thing=thing), 303)
    return redirect(url_for("trials.trial", trial_id=trial_id), 303)


@bp.get("/<int:trial_id>")
@instructor_required
def trial(trial_id: int) -> ResponseReturnValue:
    """Show a trial: how far it is, or what came of it."""
    trials.tend(services())
    view = trials.view(services(), trial_id=trial_id)
    return render_template("teach/trial.html", trial=view)


@bp.get("/<int:trial_id>/state")
@instructor_required
def state(trial_id: int) -> ResponseReturnValue:
    """Show the part of its page that changes."""
    trials.tend(services())
    view = trials.view(services(), trial_id=trial_id)
    return render_template("teach/_trial.html", trial=view)


@bp.post("/<int:trial_id>/stop")
@instructor_required
def stop(trial_id: int) -> ResponseReturnValue:
    """Stop a trial."""
    trials.stop(services(), trial_id=trial_id)
    return redirect(url_for("trials.trial", trial_id=trial_id), 303)
