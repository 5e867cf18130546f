"""The released models and their cards."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain import cards
from webapp.views.context import services

bp = Blueprint("cards", __name__, url_prefix="/models")


@bp.get("")
def index() -> ResponseReturnValue:
    """List the models that were trained for the keep."""
    return render_template("cards/index.html", cards=cards.cards(services()))


@bp.get("/<name>")
def card(name: str) -> ResponseReturnValue:
    """Show the card of a model."""
    return render_template("cards/card.html", card=cards.card(services(), name))
