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
        "playground.bench",
        "Playground",
        "Talk to one model or to four at a time, change what was said, and see all "
        "that they are sent.",
    ),
    Card(
        "lab_tokenizers.pieces",
        "Tokenizers",
        "See which pieces a model reads instead of words, and train your own cutter.",
    ),
    Card(
        "lab_next.index",
        "What comes next?",
        "See every token that a model could write, how likely each one is, and go "
        "another way whenever you like.",
    ),
    Card(
        "lab_tools.bench",
        "Tools",
        "Write a function, and let a model ask for it. You say yes or no.",
    ),
    Card(
        "lab_compare.new",
        "A fair test",
        "Ask two prompts many times, at several models, and see whether one is better.",
    ),
    Card(
        "lab_serving.sizes",
        "Sizes of a model",
        "32, 16, 8 or 4 bits for each number: what it saves, and what is forgotten.",
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
