"""The installation's own content: the list, the editor, versions."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.content import jsonschema
from webapp.domain.writing import files, listing, saving, versions
from webapp.domain.writing.saving import ChangedMeanwhile
from webapp.errors import InvalidInput, LabError, NotFound
from webapp.views.teach import content_pages as pages
from webapp.views.teach.content_pages import author, author_required
from webapp.web.context import instructor_required, services

bp = Blueprint("content", __name__, url_prefix="/teach/content")


@bp.get("")
@instructor_required
def index() -> ResponseReturnValue:
    """Show the installation's own files with their state, and the shipped ones."""
    return render_template(
        "teach/content/index.html",
        page=listing.content_page(services()),
        kinds=listing.KINDS,
        states=pages.STATES,
    )


@bp.get("/edit/<path:name>")
@author_required
def edit(name: str) -> ResponseReturnValue:
    """Show a file in the editor."""
    return _editor(pages.file_page(name))


@bp.post("/edit/<path:name>")
@author_required
def save(name: str) -> ResponseReturnValue:
    """Save the draft; a script is told what has become of it, others see the page."""
    text = request.form.get("text", "")
    try:
        texts = saving.save(
            services(),
            author=author(),
            name=name,
            text=text,
            seen=request.form.get("seen", ""),
        )
    except LabError as error:
        return _refused(name, text, error)
    if _is_for_script():
        checked = asdict(listing.check(services(), name=name, text=text))
        state = listing.state_of(texts)
        told = {"seen": texts.seen, "state": pages.STATES[state], "checked": checked}
        return jsonify(told)
    flash("Saved as a draft. Players do not see it yet.", "success")
    return redirect(url_for("content.edit", name=name), 303)


@bp.post("/check")
@author_required
def check() -> ResponseReturnValue:
    """Tell what is wrong with a text as it is typed; no file is touched."""
    name, text = request.form.get("name", ""), request.form.get("text", "")
    return jsonify(asdict(listing.check(services(), name=name, text=text)))


@bp.get("/schema/<kind>")
@instructor_required
def schema(kind: str) -> ResponseReturnValue:
    """Give the JSON Schema of a kind of file, for the editor."""
    found = jsonschema.rendered().get(f"{kind}.schema.json")
    if found is None:
        raise NotFound("There is no such schema.")
    return found, 200, {"Content-Type": "application/json"}


@bp.get("/versions/<path:name>")
@author_required
def history(name: str) -> ResponseReturnValue:
    """List the versions of a file; `?of=` shows what one changes in the newest."""
    path = files.parse_name(name)
    texts = files.texts_of(services(), path)
    chosen = request.args.get("of", type=int)
    old = None if chosen is None else versions.version_text(services(), path, chosen)
    if chosen is None and texts.draft is not None and texts.published is not None:
        # What publishing would change.
        old = texts.published
    newest = texts.newest if texts.is_own else ""
    return render_template(
        "teach/content/versions.html",
        name=name,
        texts=texts,
        versions=versions.versions(services(), path),
        chosen=chosen,
        old=old,
        lines=() if old is None else versions.diff(old, newest or ""),
    )


@bp.post("/restore/<path:name>")
@author_required
def restore(name: str) -> ResponseReturnValue:
    """Make an earlier version the draft."""
    saving.restore(
        services(),
        author=author(),
        name=name,
        version_id=request.form.get("version", 0, type=int),
        seen=request.form.get("seen", ""),
    )
    flash("This version is the draft now. Players do not see it yet.", "success")
    return redirect(url_for("content.edit", name=name), 303)


def _editor(page: pages.FilePage) -> str:
    return render_template("teach/content/edit.html", page=page)


def _is_for_script() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _refused(name: str, text: str, error: LabError) -> ResponseReturnValue:
    """Say why nothing was saved; what was typed stays on the page."""
    if _is_for_script():
        return jsonify({"code": error.code, "message": error.message}), error.status
    if isinstance(error, ChangedMeanwhile):
        page = pages.file_page(name, text=error.yours, both=saving.both(error))
        return _editor(page), error.status
    if isinstance(error, InvalidInput) and files.is_name(name):
        return _editor(
            pages.file_page(name, text=text, message=error.message)
        ), error.status
    raise error
