"""A given text: how much it surprises a model, and whether one guesses better."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.domain.lab import given
from webapp.domain.lab.models import models_for
from webapp.domain.lab.passages import PASSAGES, Passage, passage_at
from webapp.domain.safety.answers import SiteAnswer
from webapp.errors import BackendError, InvalidInput
from webapp.views.lab.next_shown import text_chips
from webapp.web import context, seats
from webapp.web.context import player_id, services
from webapp.web.guests import needs_player

bp = Blueprint("lab_given", __name__, url_prefix="/lab/next")

FAILURES: Final = (InvalidInput, BackendError)


@bp.get("/text")
def text() -> ResponseReturnValue:
    """Ask for a text. A link fills the box."""
    return _text()


@bp.post("/text")
@needs_player
def score() -> ResponseReturnValue:
    """Show how likely a model finds each token of a text."""
    try:
        plain = given.read_text(request.form.get("text", ""))
        with seats.seat():
            seen = given.score(
                services(),
                player_id=player_id(),
                model=request.form.get("model", ""),
                text=plain,
            )
    except FAILURES as error:
        return _text(problem=error.message), error.status
    if isinstance(seen, SiteAnswer):
        return _text(answer=seen.text)
    return _text(seen=seen, chips_of=text_chips(seen))


@bp.get("/guess")
def game() -> ResponseReturnValue:
    """Show a text as far as one has come, and ask for its next word."""
    return _game(passage_at(request.args.get("passage", ""), _number("place")))


@bp.post("/guess")
@needs_player
def guess() -> ResponseReturnValue:
    """Compare a guessed word with the one that comes, and with the model's odds."""
    passage = passage_at(request.form.get("passage", ""), _number("place"))
    try:
        word = given.read_guess(request.form.get("word", ""))
        with seats.seat():
            found = given.guess(
                services(),
                player_id=player_id(),
                model=request.form.get("model", ""),
                before=passage.before,
                word=word,
                truth=passage.truth,
            )
    except FAILURES as error:
        return _game(passage, problem=error.message), error.status
    if isinstance(found, SiteAnswer):
        return _game(passage, answer=found.text)
    return _game(passage, found=found)


def _number(name: str) -> int:
    values = request.form if request.method == "POST" else request.args
    number = values.get(name, 0, type=int)
    return max(0, min(number, 999))


def _text(**more: Any) -> str:
    typed = request.form if request.method == "POST" else request.args
    return render_template("lab/next_text.html", typed=typed, models=_models(), **more)


def _game(passage: Passage, **more: Any) -> str:
    typed = request.form if request.method == "POST" else request.args
    return render_template(
        "lab/next_guess.html",
        passage=passage,
        passages=PASSAGES,
        typed=typed,
        models=_models(),
        **more,
    )


def _models() -> Any:
    player = context.player()
    return models_for(services(), player_id=player.id if player else None)
