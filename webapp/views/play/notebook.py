"""My notebook: all attempts, with notes, search and export."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms import SearchField, TextAreaField

from webapp.db import LAST_ID
from webapp.domain.play import keep, marking, notebook
from webapp.errors import (
    BackendError,
    Busy,
    Conflict,
    InvalidInput,
    LabError,
    QuotaExceeded,
)
from webapp.views.play import downloads, timeline
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, safe_next, services
from webapp.web.forms import LabForm

bp = Blueprint("notebook", __name__, url_prefix="/notebook")


class NoteForm(LabForm):
    """A note on an attempt."""

    note = TextAreaField("My note")


class SearchForm(LabForm):
    """What to look for in the notebook. It changes nothing, so it needs no token."""

    class Meta:
        csrf = False

    q = SearchField("Search messages, replies and notes")


@bp.get("")
@player_required
def index() -> ResponseReturnValue:
    """Show what was done, newest first: all of it, of one gate, or what matches."""
    form = SearchForm(request.args)
    wanted = timeline.Wanted(
        player_id=player_id(),
        query=form.text("q"),
        level_id=request.args.get("level") or None,
        result=request.args.get("result") or None,
        kind=request.args.get("kind", ""),
        before=_before(),
    )
    status = 200
    try:
        page = timeline.timeline(services(), wanted)
    except InvalidInput as error:
        status = form.refuse("q", error)
        page = timeline.Timeline((), None)
    shown = render_template(
        "play/notebook/index.html",
        page=page,
        form=form,
        wanted=wanted,
        results=notebook.RESULTS,
        kinds=timeline.KINDS,
        levels=keep.level_states(services(), player_id=player_id()),
    )
    return shown, status


@bp.post("/<int:attempt_id>/note")
@player_required
def note(attempt_id: int) -> ResponseReturnValue:
    """Save the player's note on an attempt."""
    form = NoteForm()
    text = str(form.note.data or "")
    try:
        attempt = notebook.set_note(
            services(), player_id=player_id(), attempt_id=attempt_id, note=text
        )
    except LabError as error:
        if not context.is_partial():
            raise
        attempt = notebook.find(
            services(), player_id=player_id(), attempt_id=attempt_id
        )
        return _note(attempt.id, text, error=error.message)
    if context.is_partial():
        return _note(attempt.id, attempt.note, saved=True)
    flash("Note saved.", "success")
    return redirect(url_for("notebook.index", _anchor=f"attempt-{attempt_id}"), 303)


@bp.post("/<int:attempt_id>/marks")
@player_required
def marks(attempt_id: int) -> ResponseReturnValue:
    """Let the guard models of an attempt say which words counted."""
    problem = None
    try:
        with seats.seat():
            attempt = marking.mark(
                services(), player_id=player_id(), attempt_id=attempt_id
            )
    except (BackendError, Busy, Conflict, QuotaExceeded) as error:
        problem = error.message
        attempt = notebook.find(
            services(), player_id=player_id(), attempt_id=attempt_id
        )
    if context.is_partial():
        return render_template(
            "play/notebook/_marks.html", attempt=attempt, error=problem
        )
    if problem:
        flash(problem, "danger")
    target = safe_next(request.form.get("next"), url_for("notebook.index"))
    return redirect(f"{target}#marks-{attempt_id}", 303)


@bp.get("/export.md")
@player_required
def export_markdown() -> ResponseReturnValue:
    """Download all attempts and runs as a text to read."""
    lines = downloads.markdown(services(), player_id=player_id())
    return _download(lines, "text/markdown", "wordkeep-notebook.md")


@bp.get("/export.jsonl")
@player_required
def export_jsonl() -> ResponseReturnValue:
    """Download all attempts and runs as data."""
    lines = downloads.jsonl(services(), player_id=player_id())
    return _download(lines, "application/jsonl", "wordkeep-notebook.jsonl")


def _before() -> int | None:
    """Return the number that all entries of this page are below."""
    before = request.args.get("before", type=int)
    return None if before is None else max(0, min(before, LAST_ID))


def _note(
    attempt_id: int, note: str, *, saved: bool = False, error: str | None = None
) -> str:
    return render_template(
        "play/notebook/_note.html",
        attempt_id=attempt_id,
        note=note,
        is_saved=saved,
        error=error,
    )


def _download(lines: object, mimetype: str, name: str) -> Response:
    return Response(
        lines,  # type: ignore[arg-type]
        mimetype=mimetype,
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )
