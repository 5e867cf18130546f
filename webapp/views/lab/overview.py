"""What there is in the lab."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

bp = Blueprint("lab", __name__)


class Card(NamedTuple):
    """A bench of the lab: its page, its name, and what one does there."""

    endpoint: str
    title: str
    text: str


CARDS: Final[tuple[Card, ...]] = (
    Card(
        "lab_tokenizers.pieces",
        "Tokenizers",
        "See which pieces a model reads instead of words, and train your own cutter.",
    ),
    Card(
        "lab_documents.index",
        "Documents",
        "Let a model answer from your own pages: what it finds, reads and gets wrong.",
    ),
)


@bp.get("/lab")
def overview() -> ResponseReturnValue:
    """Show the benches, to anybody."""
    return render_template("lab/overview.html", cards=CARDS)
