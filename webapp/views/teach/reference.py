"""The reference for those who write levels and lessons."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain.writing.reference import reference
from webapp.web.context import instructor_required

bp = Blueprint("content_reference", __name__)


@bp.get("/teach/reference")
@instructor_required
def index() -> ResponseReturnValue:
    """Show every key, guard and check, with examples that work."""
    return render_template("teach/reference.html", reference=reference())
