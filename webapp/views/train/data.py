"""Data to train on: bring it, look at it, say how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

from webapp.domain.train import data, origins, shared_data
from webapp.domain.train.origins import NOT_TOLD, Origin
from webapp.errors import BackendError, Conflict, InvalidInput, LabError
from webapp.views.train import shown
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, services
from webapp.web.guests import needs_player
from webapp.web.uploads import takes_files

bp = Blueprint("train_data", __name__, url_prefix="/train/data")

# Text and answer, as many sets of data want them.
ALPACA = (
    "Below is an instruction that describes a task. Write a response that "
    "appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:\n"
)
ALPACA_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides "
    "further context. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
)


@bp.get("")
def index() -> ResponseReturnValue:
    """Show the sets of the program, one's own, and how to bring more."""
    return _index()


@bp.post("")
@takes_files
@needs_player
def bring() -> ResponseReturnValue:
    """Take a file, or a text that was pasted."""
    file = request.files.get("file")
    pasted = request.form.get("pasted", "")
    try:
        if file is not None and file.filename:
            name, content = file.filename, file.stream
        elif pasted.strip():
            name, content = "pasted.txt", pasted.encode("utf-8", "replace")  # type: ignore[assignment]
        else:
            raise InvalidInput("Choose a file, or paste a text.")
        origin = origins.read(request.form)
        with seats.seat():
            data_id = data.bring(
                services(),
                player_id=player_id(),
                name=name,
                content=content,
                origin=origin,
            )
    except (BackendError, Conflict, InvalidInput) as error:
        return _index(
            problem=error.message,
            pasted=pasted,
            origin=Origin(
                request.form.get("source", ""), request.form.get("terms", "")
            ),
        ), error.status
    return redirect(url_for("train_data.detail", data_id=data_id), 303)


@bp.post("/shipped")
@needs_player
def choose() -> ResponseReturnValue:
    """Take a set of the program."""
    try:
        data_id = data.choose(
            services(), player_id=player_id(), file_id=request.form.get("id", "")
        )
    except BackendError as error:
        return _index(problem=error.message), error.status
    return redirect(url_for("train_data.detail", data_id=data_id), 303)


@bp.post("/hub")
@needs_player
def fetch() -> ResponseReturnValue:
    """Take the first rows of a data set of the Hugging Face hub."""
    wanted = {
        name: request.form.get(name, "").strip()
        for name in ("name", "subset", "split", "rows")
    }
    try:
        with seats.seat():
            data_id = data.fetch(services(), player_id=player_id(), wanted=wanted)
    except (BackendError, Conflict, InvalidInput) as error:
        return _index(problem=error.message, wanted=wanted), error.status
    return redirect(url_for("train_data.detail", data_id=data_id), 303)


@bp.get("/<int:data_id>")
@player_required
def detail(data_id: int) -> ResponseReturnValue:
    """Show what is in the data, and how it is read; of others, its card."""
    page = shared_data.page(services(), player_id=player_id(), data_id=data_id)
    if not page.is_own:
        return redirect(url_for("train_data.card", data_id=data_id), 303)
    found = page.data
    if found.report is not None:
        # As it was last read: counting a large file again takes many seconds.
        return _shown(found, dict(found.settings), seed=0)
    # A page that is opened is there, even if what it is about could not be read.
    return _look(found, dict(found.settings), seed=0)[0]


@bp.post("/<int:data_id>")
@player_required
def look(data_id: int) -> ResponseReturnValue:
    """Read the data in another way, and show it or go on to train."""
    found = data.find(services(), player_id=player_id(), data_id=data_id)
    seed = request.form.get("shuffle") or request.form.get("seed") or "0"
    number = int(seed) if seed.isdecimal() and len(seed) < 9 else 0
    page, status = _look(found, _settings(found), seed=number)
    if request.form.get("then") != "train" or status != 200:
        return page, status
    target = url_for("train_new.new", data=data_id)
    if context.is_partial():
        return Response(headers={"HX-Redirect": target})
    return redirect(target, 303)


@bp.post("/<int:data_id>/delete")
@player_required
def delete(data_id: int) -> ResponseReturnValue:
    """Delete one's own data for good."""
    try:
        shared_data.delete(services(), player_id=player_id(), data_id=data_id)
    except (BackendError, Conflict) as error:
        flash(error.message, "danger")
        return redirect(url_for("train_data.detail", data_id=data_id), 303)
    return redirect(url_for("train_data.index"), 303)


@bp.get("/<int:data_id>/card")
def card(data_id: int) -> ResponseReturnValue:
    """Show the card of data to those who may see it."""
    return _card(data_id)


@bp.post("/<int:data_id>/card")
@player_required
def tell(data_id: int) -> ResponseReturnValue:
    """Keep where one's own data is from, and who may use it."""
    typed = Origin(request.form.get("source", ""), request.form.get("terms", ""))
    visibility = request.form.get("visibility", "")
    try:
        data.tell_origin(
            services(),
            player_id=player_id(),
            data_id=data_id,
            origin=origins.read(request.form),
        )
        if visibility:
            shared_data.show(
                services(),
                player_id=player_id(),
                data_id=data_id,
                visibility=visibility,
            )
    except (Conflict, InvalidInput) as error:
        return _card(data_id, problem=error.message, typed=typed), error.status
    flash("Saved.", "success")
    return redirect(url_for("train_data.card", data_id=data_id), 303)


@bp.post("/<int:data_id>/use")
@needs_player
def use(data_id: int) -> ResponseReturnValue:
    """Begin a run on data that one may use; a visitor becomes a guest for it."""
    shared_data.usable(services(), player_id=player_id(), data_id=data_id)
    return redirect(url_for("train_new.new", data=data_id), 303)


def _card(data_id: int, *, problem: str = "", typed: Origin | None = None) -> str:
    player = context.player()
    page = shared_data.page(
        services(), player_id=player.id if player else None, data_id=data_id
    )
    return render_template(
        "train/data_card.html",
        page=page,
        data=page.data,
        origin=typed or page.data.origin,
        usual_terms=origins.USUAL_TERMS,
        problem=problem,
    )


def _settings(found: data.DataView) -> dict[str, Any]:
    """Return what the form says, or the preset of its button."""
    form = request.form
    given: dict[str, Any] = {
        "text": form.get("text", ""),
        "answer": form.get("answer", ""),
        "is_chat": bool(form.get("is_chat")),
        "system": form.get("system", ""),
    }
    if form.get("documents"):
        given["documents"] = form["documents"]
    if form.get("format"):
        given["format"] = form["format"]
    if form.get("most_rows", "").strip():
        given["most_rows"] = form["most_rows"].strip()
    columns = found.report.columns if found.report else ()
    match form.get("preset"):
        case "text":
            given |= {"text": f"{{{columns[0]}}}" if columns else "", "answer": ""}
        case "answer":
            first, second = (*columns, *columns, "question", "answer")[:2]
            given |= {"text": f"{{{first}}}", "answer": f"{{{second}}}"}
        case "alpaca":
            has_input = "input" in columns
            given |= {
                "text": ALPACA_INPUT if has_input else ALPACA,
                "answer": "{output}",
                "is_chat": False,
            }
    if not given["system"]:
        del given["system"]
    return given


def _look(
    found: data.DataView, settings: dict[str, Any], *, seed: int
) -> tuple[str, int]:
    problem, status = "", 200
    try:
        with seats.seat():
            found = data.look(
                services(),
                player_id=player_id(),
                data_id=found.id,
                model=data.COUNTED_BY,
                settings=settings,
                seed=seed,
            )
        settings = dict(found.settings)
    except LabError as error:
        problem, status = error.message, error.status
    return _shown(found, settings, seed=seed, problem=problem), status


def _shown(
    found: data.DataView, settings: dict[str, Any], *, seed: int, problem: str = ""
) -> str:
    template = "train/_look.html" if context.is_partial() else "train/data.html"
    return render_template(
        template,
        data=found,
        settings=settings,
        seed=seed,
        problem=problem,
        bars=shown.bars(found.report.report.lengths) if found.report else (),
    )


def _index(
    *,
    problem: str = "",
    pasted: str = "",
    wanted: Mapping[str, str] | None = None,
    origin: Origin = NOT_TOLD,
) -> str:
    player = context.player()
    seen_by = player.id if player else None
    away = ""
    sets: tuple[Any, ...] = ()
    try:
        sets = data.shipped(services())
    except LabError as error:
        away = error.message
    return render_template(
        "train/data_index.html",
        sets=sets,
        files=data.mine(services(), player_id=player.id) if player else (),
        others=shared_data.shared(services(), player_id=seen_by),
        origin=origin,
        usual_terms=origins.USUAL_TERMS,
        problem=problem,
        away=away,
        pasted=pasted,
        wanted=wanted or {},
        usual_hub_rows=data.HUB_ROWS,
        most_hub_rows=data.MOST_HUB_ROWS,
        most=services().settings.upload_bytes,
    )
