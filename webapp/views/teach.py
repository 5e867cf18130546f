"""What instructors see: whether the content is sound, classes, shared passwords."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain import evidence, people
from webapp.views.context import instructor_required, services

bp = Blueprint("teach", __name__)


@bp.get("/teach")
@instructor_required
def overview() -> ResponseReturnValue:
    """Show problems of the content, the classes, and guesses to ask about."""
    content = services().content
    return render_template(
        "teach/overview.html",
        problems=content.problems(),
        is_stale=content.stale,
        classes=people.classes(services()),
        shared=evidence.shared_guesses(services()),
    )
