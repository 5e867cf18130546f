"""Pages that only say something."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.web.context import services

bp = Blueprint("pages", __name__)


@bp.get("/rules")
def rules() -> ResponseReturnValue:
    """Say how the game works and what is kept about players."""
    return render_template("pages/rules.html", settings=services().settings)
