"""Every component on one page, for those who build pages and for screenshots."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.views.learn.samples import lesson
from webapp.views.people.forms import JoinForm
from webapp.views.samples import attempts, judged

bp = Blueprint("patterns", __name__)


@bp.get("/patterns")
def patterns() -> ResponseReturnValue:
    """Show all components with made-up content."""
    form = JoinForm(formdata=None, data={"name": "x"})
    form.name.errors = ["A nickname has 2 to 24 characters."]
    return render_template(
        "patterns/patterns.html",
        form=form,
        attempts=attempts(),
        judged=judged(),
        page=lesson(),
        today=datetime.now(UTC).date(),
    )
