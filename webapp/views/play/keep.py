"""The map of the keep, and what is said and guessed at a gate."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField

from webapp.domain.play import attack, guessing, hints, keep, notebook, visits
from webapp.domain.play.events import ErrorEvent
from webapp.domain.play.guessing import GuessOutcome
from webapp.errors import Forbidden, LabError, NotFound
from webapp.web import context, sse
from webapp.web.context import player_id, player_required, services
from webapp.web.faults import stream_fault
from webapp.web.forms import LabForm

bp = Blueprint("keep", __name__, url_prefix="/keep")


class MessageForm(LabForm):
    """A message to the warden."""

    message = TextAreaField("Your message to the warden")


class GuessForm(LabForm):
    """A guess at the password."""

    guess = StringField("Your guess")


@bp.get("")
@player_required
def keep_map() -> ResponseReturnValue:
    """Show the map."""
    page = keep.map_page(services(), player_id=player_id())
    return render_template("play/keep/map.html", keep=page)


@bp.get("/<level_id>")
@player_required
def level(level_id: str) -> ResponseReturnValue:
    """Show a gate; `?attempt=` fills in the message of an earlier attempt."""
    draft = session.pop("draft", "")
    attempt_id = request.args.get("attempt", type=int)
    if attempt_id is not None:
        draft = notebook.find(
            services(), player_id=player_id(), attempt_id=attempt_id
        ).message
    return _level_page(level_id, draft=draft)


@bp.post("/<level_id>/attempts")
@player_required
def attempts(level_id: str) -> ResponseReturnValue:
    """Send a message: as a stream if asked for, else to the end and back."""
    message = str(MessageForm().message.data or "")
    try:
        run = attack.attack(
            services(), player_id=player_id(), level_id=level_id, message=message
        )
    except LabError as error:
        return _refuse(level_id, message, error)
    if sse.is_wanted():
        return sse.answer(run)
    failures = [event for event in run if isinstance(event, ErrorEvent)]
    if failures:
        failed = LabError(failures[0].message, code=failures[0].code)
        failed.status = failures[0].status
        return _refuse(level_id, message, failed)
    target = url_for("keep.level", level_id=level_id, _anchor=f"attempt-{run.id}")
    return redirect(target, 303)


@bp.post("/<level_id>/guesses")
@player_required
def guesses(level_id: str) -> ResponseReturnValue:
    """Try a password."""
    form = GuessForm()
    try:
        outcome = guessing.guess(
            services(),
            player_id=player_id(),
            level_id=level_id,
            guess=str(form.guess.data or ""),
        )
    except LabError as error:
        return _refuse_guess(level_id, form, error)
    if context.is_partial() and not (outcome.correct or outcome.visit_ended):
        return _guess_box(level_id, form, outcome)
    flash(outcome.message, "success" if outcome.correct else "danger")
    if context.is_partial():
        return Response(headers={"HX-Refresh": "true"})
    anchor = None if outcome.correct else "guess"
    return redirect(url_for("keep.level", level_id=level_id, _anchor=anchor), 303)


@bp.post("/<level_id>/hints/<int:n>")
@player_required
def take_hint(level_id: str, n: int) -> ResponseReturnValue:
    """Open a hint."""
    hint = hints.take_hint(services(), player_id=player_id(), level_id=level_id, n=n)
    if context.is_partial():
        return render_template("play/keep/_hint.html", hint=hint, level_id=level_id)
    target = url_for("keep.level", level_id=level_id, hint=n, _anchor=f"hint-{n}")
    return redirect(target, 303)


@bp.post("/<level_id>/reset")
@player_required
def reset(level_id: str) -> ResponseReturnValue:
    """Start a new conversation, with a new password."""
    visits.reset(services(), player_id=player_id(), level_id=level_id)
    return redirect(url_for("keep.level", level_id=level_id), 303)


def _level_page(
    level_id: str, *, draft: str = "", error: LabError | None = None
) -> str:
    page = keep.level_page(services(), player_id=player_id(), level_id=level_id)
    return render_template("play/keep/level.html", page=page, draft=draft, error=error)


def _refuse(level_id: str, message: str, error: LabError) -> ResponseReturnValue:
    """Say why a message was not answered, and keep it."""
    if sse.is_wanted():
        return stream_fault(error.code, error.message, error.status)
    if isinstance(error, Forbidden | NotFound):
        raise error
    return _level_page(level_id, draft=message, error=error), error.status


def _refuse_guess(
    level_id: str, form: GuessForm, error: LabError
) -> ResponseReturnValue:
    if isinstance(error, Forbidden | NotFound):
        raise error
    if not context.is_partial():
        flash(error.message, "danger")
        target = url_for("keep.level", level_id=level_id, _anchor="guess")
        return redirect(target, 303)
    page = keep.level_page(services(), player_id=player_id(), level_id=level_id)
    outcome = GuessOutcome(False, 0, None, page.guesses_left, False, error.message)
    return _guess_box(level_id, form, outcome)


def _guess_box(level_id: str, form: GuessForm, outcome: GuessOutcome) -> Response:
    return make_response(
        render_template(
            "play/keep/_guess.html",
            level_id=level_id,
            guesses_left=outcome.guesses_left,
            message=outcome.message,
            typed=form.text("guess"),
        )
    )
