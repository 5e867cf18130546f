"""The map of the keep, and what is said and guessed at a gate."""

from __future__ import annotations

from contextlib import closing

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField

from webapp.domain.learn import course
from webapp.domain.play import (
    attack,
    following,
    guessing,
    hints,
    keep,
    notebook,
    visits,
)
from webapp.domain.play import ending as endings
from webapp.domain.play.events import ErrorEvent, Start
from webapp.domain.play.guessing import GuessOutcome
from webapp.domain.play.visits import VisitEnded
from webapp.errors import (
    Busy,
    Forbidden,
    InvalidInput,
    LabError,
    NotFound,
    QuotaExceeded,
)
from webapp.web import context, seats, sse
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


@bp.get("/<ladder_id>/map")
@player_required
def ladder_map(ladder_id: str) -> ResponseReturnValue:
    """Show the map of one ladder of several."""
    page = keep.map_page(services(), player_id=player_id(), ladder_id=ladder_id)
    return render_template("play/keep/map.html", keep=page)


@bp.get("/<level_id>")
@player_required
def level(level_id: str) -> ResponseReturnValue:
    """Show a gate; `?attempt=` fills in the message of an earlier attempt."""
    draft = ""
    attempt_id = request.args.get("attempt", type=int)
    if attempt_id is not None:
        draft = notebook.find(
            services(), player_id=player_id(), attempt_id=attempt_id
        ).message
    return _level_page(level_id, draft=draft)


@bp.get("/<ladder_id>/ending")
@player_required
def ending(ladder_id: str) -> ResponseReturnValue:
    """Tell what was done, once every gate is open."""
    told = endings.ending(services(), player_id=player_id(), ladder_id=ladder_id)
    return render_template("play/keep/ending.html", ending=told)


@bp.post("/<level_id>/attempts")
@player_required
def attempts(level_id: str) -> ResponseReturnValue:
    """Send a message: as a stream if asked for, else to the end and back."""
    return send(
        level_id, str(MessageForm().message.data or ""), waits=True, visit=_visit()
    )


@bp.get("/<level_id>/attempts/<int:attempt_id>/events")
@player_required
def attempt_events(level_id: str, attempt_id: int) -> ResponseReturnValue:
    """Stream an attempt from its start, for a page that was opened meanwhile."""
    return sse.answer(
        seats.seated(
            lambda: following.follow(
                services(), player_id=player_id(), attempt_id=attempt_id
            )
        )
    )


@bp.post("/<level_id>/attempts/<int:attempt_id>/stop")
@player_required
def stop_attempt(level_id: str, attempt_id: int) -> ResponseReturnValue:
    """Let the warden stop; its stream tells when that is done."""
    following.stop(services(), player_id=player_id(), attempt_id=attempt_id)
    return "", 204


@bp.post("/<level_id>/size")
@player_required
def size(level_id: str) -> ResponseReturnValue:
    """Tell the page how many tokens a message takes, before it is sent."""
    message = str(MessageForm().message.data or "")
    try:
        with seats.seat():
            tokens = keep.message_size(
                services(), player_id=player_id(), level_id=level_id, message=message
            )
    except (Busy, QuotaExceeded):
        # As while the model cannot be asked: the page says nothing then.
        tokens = None
    return jsonify({"tokens": tokens})


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
            visit=_visit(),
        )
    except LabError as error:
        return _refuse_guess(level_id, form, error)
    if context.is_partial() and not (outcome.correct or outcome.visit_ended):
        return _guess_box(level_id, form, outcome)
    if outcome.correct:
        if not outcome.points:
            flash(outcome.message, "success")
        # The heading of what is told takes the focus, with scripts and without.
        target = url_for("keep.level", level_id=level_id, won=1, _anchor="won-title")
        if context.is_partial():
            return Response(headers={"HX-Redirect": target})
        return redirect(target, 303)
    flash(outcome.message, "danger")
    if context.is_partial():
        return Response(headers={"HX-Refresh": "true"})
    return redirect(url_for("keep.level", level_id=level_id, _anchor="guess"), 303)


@bp.post("/<level_id>/hints/<int:n>")
@player_required
def take_hint(level_id: str, n: int) -> ResponseReturnValue:
    """Open a hint."""
    try:
        hint = hints.take_hint(
            services(),
            player_id=player_id(),
            level_id=level_id,
            n=n,
            visit=_visit(),
        )
    except VisitEnded as error:
        return _tell_end(level_id, error)
    if context.is_partial():
        return render_template("play/keep/_hint.html", hint=hint, level_id=level_id)
    target = url_for("keep.level", level_id=level_id, hint=n, _anchor=f"hint-{n}")
    return redirect(target, 303)


@bp.post("/<level_id>/reset")
@player_required
def reset(level_id: str) -> ResponseReturnValue:
    """Start a new conversation, with a new password; keep what is typed already."""
    message = str(MessageForm().message.data or "")
    try:
        visits.reset(
            services(), player_id=player_id(), level_id=level_id, visit=_visit()
        )
    except VisitEnded as error:
        return _tell_end(level_id, error)
    if message:
        # Too long for a cookie, so it comes with the answer.
        return _level_page(level_id, draft=message)
    return redirect(url_for("keep.level", level_id=level_id), 303)


def _visit() -> int | None:
    """Return the visit that the page of this form showed."""
    return request.form.get("visit", type=int)


def send(
    level_id: str, message: str, *, waits: bool, visit: int | None = None
) -> ResponseReturnValue:
    """Send a message and go to its place in the conversation.

    With `waits` once it is answered: a page without scripts cannot show it later.
    """
    try:
        # The reader may leave; the reply goes on, and keeps its seat until it ends.
        happening = seats.handed_on(
            lambda give_back: following.keep_going(
                services(),
                attack.attack(
                    services(),
                    player_id=player_id(),
                    level_id=level_id,
                    message=message,
                    visit=visit,
                ),
                at_end=give_back,
            )
        )
    except LabError as error:
        return _refuse(level_id, message, error)
    if sse.is_wanted():
        return sse.answer(happening)
    with closing(happening):
        start = next(happening)
        rest = list(happening) if waits else []
    failures = [event for event in rest if isinstance(event, ErrorEvent)]
    if failures:
        failed = LabError(failures[0].message, code=failures[0].code)
        failed.status = failures[0].status
        return _refuse(level_id, message, failed)
    anchor = f"attempt-{start.id}" if isinstance(start, Start) else None
    return redirect(url_for("keep.level", level_id=level_id, _anchor=anchor), 303)


def _level_page(
    level_id: str,
    *,
    draft: str = "",
    error: LabError | None = None,
    guess: str = "",
    guess_error: str | None = None,
) -> str:
    page = keep.level_page(services(), player_id=player_id(), level_id=level_id)
    return render_template(
        "play/keep/level.html",
        page=page,
        lessons=course.lessons_for_gate(
            services(), f"{page.ladder_id}/{level_id}", player_id()
        ),
        draft=draft,
        error=error,
        guess=guess,
        guess_error=guess_error,
    )


def _refuse(level_id: str, message: str, error: LabError) -> ResponseReturnValue:
    """Say why a message was not answered, and keep it."""
    if sse.is_wanted():
        return stream_fault(error)
    if isinstance(error, Forbidden | NotFound):
        raise error
    wait = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    try:
        page = _level_page(level_id, draft=message, error=error)
    except Forbidden:
        # A new season has shut the gate itself.
        raise error from None
    return page, error.status, wait


def _tell_end(level_id: str, error: VisitEnded) -> ResponseReturnValue:
    """Say that the visit is over for which a button was pressed."""
    if not context.is_partial():
        return _refuse(level_id, "", error)
    flash(error.message, "danger")
    return Response(status=error.status, headers={"HX-Refresh": "true"})


def _refuse_guess(
    level_id: str, form: GuessForm, error: LabError
) -> ResponseReturnValue:
    """Say why a guess was not tried, and keep it."""
    if isinstance(error, Forbidden | NotFound):
        raise error
    try:
        page = keep.level_page(services(), player_id=player_id(), level_id=level_id)
    except Forbidden:
        raise error from None
    if context.is_partial():
        outcome = GuessOutcome(
            False, 0, None, page.guesses_left, False, error.message, page.visit
        )
        return _with_wait(_guess_box(level_id, form, outcome), error)
    if isinstance(error, InvalidInput):
        flash(error.message, "danger")
        target = url_for("keep.level", level_id=level_id, _anchor="guess")
        return redirect(target, 303)
    typed = form.text("guess")
    shown = _level_page(level_id, guess=typed, guess_error=error.message)
    return _with_wait(make_response(shown, error.status), error)


def _with_wait(response: Response, error: LabError) -> Response:
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _guess_box(level_id: str, form: GuessForm, outcome: GuessOutcome) -> Response:
    return make_response(
        render_template(
            "play/keep/_guess.html",
            level_id=level_id,
            visit=outcome.visit,
            guesses_left=outcome.guesses_left,
            message=outcome.message,
            typed=form.text("guess"),
        )
    )
