"""The released models and their cards."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain.models import cards
from webapp.web.context import services

bp = Blueprint("cards", __name__, url_prefix="/models")


@bp.get("")
def index() -> ResponseReturnValue:
    """List the models that were trained for the keep."""
    return render_template("models/cards/index.html", cards=cards.cards(services()))


@bp.get("/<name>")
def card(name: str) -> ResponseReturnValue:
    """Show the card of a model."""
    return render_template("models/cards/card.html", card=cards.card(services(), name))
