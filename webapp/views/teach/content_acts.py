"""What is done with a file: publish, take back, delete, start from another one."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from webapp.domain.writing import files, publishing, saving, starting
from webapp.domain.writing.publishing import NotReady
from webapp.domain.writing.saving import ChangedMeanwhile
from webapp.errors import Conflict, InvalidInput, LabError, NotFound
from webapp.reading.problems import format_problem
from webapp.views.teach import content_pages as pages
from webapp.views.teach.content_pages import actor, author, author_required
from webapp.web.context import services
from webapp.web.forms import LabForm

bp = Blueprint("content_acts", __name__, url_prefix="/teach/content")


class CopyForm(LabForm):
    """Make another file of one that there is."""

    folder = StringField(
        "Ladder or track",
        description="A new one of your own, or one that there is: my-keep, for one.",
    )
    name = StringField(
        "Name",
        description="Small letters, digits and hyphens, a letter first: my-gate.",
    )


@bp.post("/publish/<path:name>")
@author_required
def publish(name: str) -> ResponseReturnValue:
    """Let a class or everybody see the draft."""
    whom = request.form.get("class", "")

    def act() -> str:
        if whom and not whom.isdecimal():
            raise InvalidInput("Choose one of your classes, or everybody.")
        done = publishing.publish(
            services(),
            actor=actor(),
            name=name,
            seen=request.form.get("seen", ""),
            is_whole_folder="folder" in request.form,
            class_id=int(whom) if whom else None,
        )
        files_words = "" if len(done.names) == 1 else f" {len(done.names)} files."
        return f"Published.{files_words} Players see it within two seconds."

    return _act(name, act)


@bp.post("/unpublish/<path:name>")
@author_required
def unpublish(name: str) -> ResponseReturnValue:
    """Take a file away from players, and keep it as a draft."""

    def act() -> str:
        publishing.unpublish(
            services(), actor=actor(), name=name, seen=request.form.get("seen", "")
        )
        return "Taken back. It is a draft now, and players do not see it any more."

    return _act(name, act)


@bp.post("/discard/<path:name>")
@author_required
def discard(name: str) -> ResponseReturnValue:
    """Throw the draft away."""

    def act() -> str:
        saving.discard(
            services(), author=author(), name=name, seen=request.form.get("seen", "")
        )
        return "The draft is gone. It is still among the versions."

    return _act(name, act)


@bp.post("/delete/<path:name>")
@author_required
def delete(name: str) -> ResponseReturnValue:
    """Delete a file of the installation."""

    def act() -> str:
        if "sure" not in request.form:
            raise InvalidInput("Tick the box first: players will not see it any more.")
        publishing.remove(
            services(), actor=actor(), name=name, seen=request.form.get("seen", "")
        )
        return "The file is deleted. Its versions are kept, so it can be brought back."

    return _act(name, act)


@bp.get("/start/<path:name>")
@author_required
def start(name: str) -> ResponseReturnValue:
    """Say what it means to start from a file, and ask how."""
    return _start_page(name)


@bp.post("/start/<path:name>")
@author_required
def begin(name: str) -> ResponseReturnValue:
    """Make a draft out of a file: its own, or another one's."""
    if "here" in request.form:
        made = starting.change_here(services(), author=author(), source=name)
        return redirect(url_for("content.edit", name=made), 303)
    form = CopyForm()
    try:
        made = starting.copy(
            services(),
            author=author(),
            source=name,
            folder=form.text("folder"),
            name=form.text("name"),
        )
    except (Conflict, InvalidInput) as error:
        status = form.refuse("name", error)
        return _start_page(name, form=form), status
    flash("This is your own copy, as a draft. Players do not see it yet.", "success")
    return redirect(url_for("content.edit", name=made), 303)


def _start_page(name: str, form: CopyForm | None = None) -> str:
    path = files.parse_name(name)
    texts = files.texts_of(services(), path)
    if texts.newest is None:
        raise NotFound("There is no such file to start from.")
    kind = files.kind_of(path)
    return render_template(
        "teach/content/start.html",
        name=name,
        kind=kind,
        texts=texts,
        may_copy=kind in starting.COPIED,
        folders=starting.folders(services(), path.parts[0]),
        form=form or CopyForm(formdata=None),
    )


def _act(name: str, act: Callable[[], str]) -> ResponseReturnValue:
    """Do something with a file and say so; or say in the editor why not."""
    try:
        message = act()
    except LabError as error:
        return _refused(name, error)
    flash(message, "success")
    texts = files.texts_of(services(), files.parse_name(name))
    if texts.newest is None:
        return redirect(url_for("content.index"), 303)
    return redirect(url_for("content.edit", name=name), 303)


def _refused(name: str, error: LabError) -> ResponseReturnValue:
    not_ready: tuple[str, ...] = ()
    if isinstance(error, NotReady):
        not_ready = tuple(map(format_problem, error.problems))
    elif isinstance(error, ChangedMeanwhile):
        message = "Nothing was done: the file has changed since you opened this page."
        return _shown(name, message), error.status
    elif not isinstance(error, Conflict | InvalidInput):
        raise error
    return _shown(name, error.message, not_ready), error.status


def _shown(name: str, message: str, not_ready: tuple[str, ...] = ()) -> str:
    page = pages.file_page(name, message=message, not_ready=not_ready)
    return render_template("teach/content/edit.html", page=page)
