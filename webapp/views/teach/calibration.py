"""What instructors see: the content, the classes, how hard levels are."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.domain.calibration import reports
from webapp.domain.people import classes, roster
from webapp.domain.teach import concerns
from webapp.web.context import instructor, instructor_required, services

bp = Blueprint("teach", __name__)


@bp.get("/teach")
@instructor_required
def overview() -> ResponseReturnValue:
    """Show problems of the content, the classes, and messages to answer."""
    content = services().content
    actor = roster.actor_of(instructor())
    return render_template(
        "teach/overview.html",
        problems=content.problems(),
        is_stale=content.stale,
        classes=classes.classes(services()),
        taught=roster.taught(services(), actor=actor),
        concerns=concerns.concerns(services(), actor=actor),
    )


@bp.get("/teach/calibration")
@instructor_required
def calibration() -> ResponseReturnValue:
    """Show how often each gate was beaten, by what, and whom it sends away."""
    ladder = request.args.get("ladder") or None
    page = reports.calibration_page(services(), ladder)
    return render_template("teach/calibration.html", page=page)
