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

from webapp.domain.play import keep, marking, notebook
from webapp.errors import BackendError, Conflict, LabError
from webapp.web import context
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

    q = SearchField("Search")


@bp.get("")
@player_required
def index() -> ResponseReturnValue:
    """Show attempts, newest first: all of them, of one gate, or those that match."""
    level_id = request.args.get("level") or None
    before = request.args.get("before", type=int)
    form = SearchForm(request.args)
    page = notebook.search(
        services(),
        player_id=player_id(),
        query=form.text("q")[:200],
        level_id=level_id,
        before=before,
    )
    return render_template(
        "play/notebook/index.html",
        page=page,
        form=form,
        chosen=level_id,
        levels=keep.level_states(services(), player_id=player_id()),
        is_first=before is None,
    )


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
        attempt = marking.mark(services(), player_id=player_id(), attempt_id=attempt_id)
    except (BackendError, Conflict) as error:
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
    """Download all attempts as a text to read."""
    lines = notebook.export_markdown(services(), player_id=player_id())
    return _download(lines, "text/markdown", "wordkeep-notebook.md")


@bp.get("/export.jsonl")
@player_required
def export_jsonl() -> ResponseReturnValue:
    """Download all attempts as data."""
    lines = notebook.export_jsonl(services(), player_id=player_id())
    return _download(lines, "application/jsonl", "wordkeep-notebook.jsonl")


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
