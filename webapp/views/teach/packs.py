"""Packs in the browser: own content as one file, and content of others."""

from __future__ import annotations

import re
from io import BytesIO

from flask import (
    Blueprint,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms import StringField

from webapp.domain.writing import importing, packs
from webapp.errors import Conflict, InvalidInput, LabError, NotFound
from webapp.web.context import instructor, instructor_required, services
from webapp.web.forms import LabForm
from webapp.web.uploads import takes_files

bp = Blueprint("packs", __name__, url_prefix="/teach/packs")


class ExportForm(LabForm):
    """What a pack is called."""

    name = StringField("Name of the pack")
    version = StringField("Version", description="Count up for a newer one.")


@bp.get("")
@instructor_required
def index() -> ResponseReturnValue:
    """Show what can be given away, and where a pack is brought."""
    return _index()


@bp.post("/export")
@instructor_required
def export() -> ResponseReturnValue:
    """Send a pack of what was chosen."""
    form = ExportForm()
    name = form.text("name")
    try:
        if not (paths := request.form.getlist("path")):
            raise InvalidInput("Tick what the pack shall hold.")
        data = packs.make(
            services().settings.content,
            name=name,
            version=form.text("version") or "1",
            paths=paths,
        )
    except (InvalidInput, NotFound) as error:
        return _index(form=form, error=error), error.status
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "pack"
    return send_file(
        BytesIO(data),
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"{plain}.zip",
    )


@bp.post("/look")
@takes_files
@instructor_required
def look() -> ResponseReturnValue:
    """Take a pack and go to the page that says what it would do."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise InvalidInput("Choose the file of a pack.")
        data = file.stream.read(packs.MOST_PACK_BYTES + 1)
        digest = importing.keep(services(), data)
    except InvalidInput as error:
        return _index(problem=error), error.status
    return redirect(url_for("packs.plan", digest=digest), 303)


@bp.get("/<digest>")
@instructor_required
def plan(digest: str) -> ResponseReturnValue:
    """Show what a pack would do, and what would be wrong."""
    found = importing.kept(services(), digest)
    return render_template("teach/pack.html", plan=found, digest=digest)


@bp.post("/<digest>")
@instructor_required
def bring_in(digest: str) -> ResponseReturnValue:
    """Bring a pack in."""
    try:
        done = importing.bring_in_kept(services(), digest, author=instructor().name)
    except (Conflict, InvalidInput) as error:
        flash(error.message, "danger")
        return redirect(url_for("packs.plan", digest=digest), 303)
    manifest = done.pack.manifest
    flash(
        f"{manifest.name}, version {manifest.version}, is in. It goes live within two "
        "seconds.",
        "success",
    )
    return redirect(url_for("packs.index"), 303)


def _index(
    *,
    form: ExportForm | None = None,
    error: LabError | None = None,
    problem: LabError | None = None,
) -> str:
    """Show the page, with what is wrong with an export or an import."""
    own = packs.own_texts(services().settings.content)
    folders: dict[str, int] = {}
    for path in own:
        # A ladder or a track belongs together; all else is a file by itself.
        group = str(path.parent if len(path.parts) > 2 else path)
        folders[group] = folders.get(group, 0) + 1
    return render_template(
        "teach/packs.html",
        folders=folders,
        form=form or ExportForm(formdata=None, data={"version": "1"}),
        chosen=request.form.getlist("path") if error else list(folders),
        error=error,
        problem=problem,
    )
