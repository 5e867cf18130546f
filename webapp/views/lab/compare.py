"""The fair test: prompts, models and temperatures side by side, with a check."""

from __future__ import annotations

from typing import Any, Final

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
from werkzeug.datastructures import MultiDict

from webapp.domain.lab import matrices, matrix_checks, matrix_models, matrix_run
from webapp.domain.lab import matrix_plan as plans
from webapp.errors import Busy, Conflict, InvalidInput
from webapp.views.lab.matrix_table import csv_of
from webapp.web import context
from webapp.web.context import player_id, player_required, services
from webapp.web.guests import needs_player
from webapp.web.seals import form_mark

bp = Blueprint("lab_compare", __name__, url_prefix="/lab/compare")

# How a field of a check's option is called in the form.
_OPTION: Final = "option-"
EXAMPLE: Final = MultiDict(
    [
        ("prompt", "Which country is {input} in?"),
        (
            "prompt",
            "Which country is Madrid in?\nSpain\n\nWhich country is {input} in?",
        ),
        ("items", "Paris → France\nRome → Italy\nTokyo → Japan\nCairo → Egypt"),
        ("temperature", "0.7"),
        ("samples", "5"),
        ("tokens", "20"),
        ("option-value", "{wanted}"),
    ]
)
STATES: Final = {
    "ready": ("Not begun yet", "draft", "hourglass"),
    "running": ("Asking", "draft", "hourglass"),
    "paused": ("Stopped", "shut", "stop"),
    "finished": ("Done", "open", "check"),
}


@bp.get("")
def new() -> ResponseReturnValue:
    """Ask what to compare; `model` in the address chooses models beforehand."""
    return _new()


@bp.post("")
@needs_player
def begin() -> ResponseReturnValue:
    """Keep what is to be compared; its page says how long that takes."""
    form = request.form
    typed = plans.Typed(
        prompts=form.getlist("prompt"),
        items=form.get("items", ""),
        models=form.getlist("model"),
        temperatures=form.getlist("temperature"),
        samples=form.get("samples", ""),
        tokens=form.get("tokens", ""),
        check=form.get("check", ""),
        options=_options(form),
    )
    try:
        known = matrix_models.offered(services(), player_id=player_id())
        plan = plans.read_plan(typed, known=known, seed=services().seed())
        matrix_id = matrices.begin(
            services(), player_id=player_id(), plan=plan, form=form_mark()
        )
    except (InvalidInput, Conflict) as error:
        return _new(problem=error.message), error.status
    return redirect(url_for("lab_compare.detail", matrix_id=matrix_id), 303)


@bp.get("/check")
def check() -> ResponseReturnValue:
    """Show the options of a check, as a part of the form."""
    return render_template(
        "lab/_check.html",
        offer=matrix_checks.offer(request.args.get("check", "")),
        typed={},
        prefix=_OPTION,
    )


@bp.get("/<int:matrix_id>")
@player_required
def detail(matrix_id: int) -> ResponseReturnValue:
    """Show a matrix, as far as it is; `cell` opens the replies of one."""
    return render_template("lab/matrix.html", **_values(matrix_id))


@bp.get("/<int:matrix_id>/state")
@player_required
def state(matrix_id: int) -> ResponseReturnValue:
    """Show the part of its page that changes."""
    return render_template("lab/_matrix.html", **_values(matrix_id))


@bp.post("/<int:matrix_id>/start")
@player_required
def start(matrix_id: int) -> ResponseReturnValue:
    """Begin to ask, or go on."""
    try:
        matrix_run.start(services(), player_id=player_id(), matrix_id=matrix_id)
    except (Conflict, Busy) as error:
        flash(error.message, "danger")
    return redirect(url_for("lab_compare.detail", matrix_id=matrix_id), 303)


@bp.post("/<int:matrix_id>/stop")
@player_required
def stop(matrix_id: int) -> ResponseReturnValue:
    """Stop asking."""
    matrix_run.stop(services(), player_id=player_id(), matrix_id=matrix_id)
    return redirect(url_for("lab_compare.detail", matrix_id=matrix_id), 303)


@bp.get("/<int:matrix_id>/table.csv")
@player_required
def table(matrix_id: int) -> ResponseReturnValue:
    """Give every reply as a table for a spreadsheet."""
    seen = _find(matrix_id)
    headers = {"Content-Disposition": f'attachment; filename="fair-test-{seen.id}.csv"'}
    return Response(csv_of(seen), mimetype="text/csv", headers=headers)


@bp.post("/<int:matrix_id>/delete")
@player_required
def delete(matrix_id: int) -> ResponseReturnValue:
    """Delete it for good."""
    matrices.delete_one(services(), player_id=player_id(), matrix_id=matrix_id)
    flash("Deleted.", "success")
    return redirect(url_for("lab_compare.new"), 303)


def _find(matrix_id: int) -> matrices.MatrixView:
    return matrices.find(services(), player_id=player_id(), matrix_id=matrix_id)


def _options(form: MultiDict[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(_OPTION): value
        for key, value in form.items()
        if key.startswith(_OPTION)
    }


def _new(*, problem: str = "") -> str:
    player = context.player()
    seen_by = player.id if player else None
    models = matrix_models.offered(services(), player_id=seen_by)
    form = request.form or (EXAMPLE if "example" in request.args else request.form)
    chosen = form.get("check") or matrix_checks.USUAL
    offers = matrix_checks.offered()
    return render_template(
        "lab/compare.html",
        models=models,
        chosen_models=_chosen(),
        prompts=_padded(form.getlist("prompt"), plans.MOST_PROMPTS),
        temperatures=_padded(
            form.getlist("temperature") or ["0.7"], plans.MOST_TEMPERATURES
        ),
        offers=offers,
        offer=next((one for one in offers if one.name == chosen), offers[0]),
        typed=form,
        options=_options(form),
        prefix=_OPTION,
        problem=problem,
        plans=plans,
        earlier=() if seen_by is None else matrices.mine(services(), player_id=seen_by),
        states=STATES,
    )


def _chosen() -> list[str]:
    """Return the models that are ticked; without a choice the usual one."""
    given = request.form.getlist("model") or request.args.getlist("model")
    if given or request.form:
        return given
    return [matrix_models.usual(services())]


def _padded(texts: list[str], count: int) -> list[str]:
    return (texts + [""] * count)[:count]


def _values(matrix_id: int) -> dict[str, Any]:
    seen = _find(matrix_id)
    place = request.args.get("cell", "")
    is_number = place.isascii() and place.isdigit() and len(place) < 4
    return {
        "seen": seen,
        "plan": seen.plan,
        "offer": matrix_checks.offer(seen.plan.check),
        "cell": seen.cell(int(place)) if is_number else None,
        "states": STATES,
    }
