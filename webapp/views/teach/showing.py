"""An attempt on the wall: the message, guard by guard, and run once more."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.domain.people import roster
from webapp.domain.teach import showing
from webapp.errors import LabError
from webapp.web import seats
from webapp.web.context import instructor, instructor_required, services

bp = Blueprint("showing", __name__, url_prefix="/teach")


@bp.get("/classes/<int:class_id>/attempts")
@instructor_required
def lately(class_id: int) -> ResponseReturnValue:
    """List the newest attempts of a class, without names."""
    info = showing.class_of(services(), actor=_actor(), class_id=class_id)
    lines = showing.lately(services(), actor=_actor(), class_id=class_id)
    return render_template("teach/attempts.html", info=info, lines=lines)


@bp.get("/attempts/<int:attempt_id>/show")
@instructor_required
def show(attempt_id: int) -> ResponseReturnValue:
    """Show an attempt; `?guards=1` with guards that the gate hides.

    `?reply=1` shows the reply as well, once its visit has ended.
    """
    return _page(attempt_id)


@bp.post("/attempts/<int:attempt_id>/show")
@instructor_required
def run_again(attempt_id: int) -> ResponseReturnValue:
    """Ask the model again, about a harmless word."""
    try:
        with seats.seat():
            shown = showing.run_again(services(), actor=_actor(), attempt_id=attempt_id)
    except LabError as error:
        return _page(attempt_id, problem=error), error.status
    return render_template("teach/show.html", shown=shown, word=showing.WORD)


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())


def _page(attempt_id: int, problem: LabError | None = None) -> str:
    shown = showing.show(
        services(),
        actor=_actor(),
        attempt_id=attempt_id,
        wants_guards=request.args.get("guards") == "1",
        wants_reply=request.args.get("reply") == "1",
    )
    return render_template(
        "teach/show.html",
        shown=shown,
        word=showing.WORD,
        problem=problem and problem.message,
    )
