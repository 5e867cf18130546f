"""Begin a run: all choices, what they would cost, and the same as a recipe."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.train import choices as choosing
from webapp.domain.train import (
    data,
    prompting,
    recipes,
    runs,
    shared_data,
    sweeping,
    sweeps,
)
from webapp.domain.train.choices import Choices
from webapp.errors import InvalidInput, LabError, NotFound
from webapp.llm.training_shapes import Base, Estimate
from webapp.views.train import shown
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, services

bp = Blueprint("train_new", __name__, url_prefix="/train/new")

OF_OTHERS = (
    "This data is somebody else's, and is read as they have set it. Leave the lines "
    "under data out of the recipe."
)


@bp.get("")
@player_required
def new() -> ResponseReturnValue:
    """Show the form for a run on some data."""
    data_id = request.args.get("data", 0, type=int)
    if not data_id:
        return redirect(url_for("train_data.index"), 303)
    found = shared_data.usable(services(), player_id=player_id(), data_id=data_id)
    usual = Choices(title=_title(found.name), sample_prompt=_first_words(found))
    again = request.args.get("again", 0, type=int)
    if again:
        usual = runs.find(services(), player_id=player_id(), run_id=again).choices
    return _page(found, usual)


@bp.post("")
@player_required
def start() -> ResponseReturnValue:
    """Put the run into the queue."""
    found = _data()
    bases, away = _bases()
    try:
        chosen = _choices(bases)
        run_id = runs.start(
            services(),
            player_id=player_id(),
            data_id=found.id,
            choices=chosen,
            form=request.form.get("form", "") or secrets.token_hex(8),
        )
    except LabError as error:
        if isinstance(error, NotFound):
            raise
        page = _page(found, _typed(bases), problem=error.message, bases=(bases, away))
        return page, error.status
    return redirect(url_for("train_runs.run", run_id=run_id), 303)


@bp.post("/sweep")
@player_required
def sweep() -> ResponseReturnValue:
    """Put three runs into the queue that differ in one value."""
    found = _data()
    bases, away = _bases()
    try:
        sweep_id = sweeps.start(
            services(),
            player_id=player_id(),
            data_id=found.id,
            choices=_choices(bases),
            what=sweeping.read_what(request.form.get("sweep_what", "")),
            guess=sweeping.read_guess(request.form.get("sweep_guess", "")),
            form=request.form.get("form", "") or secrets.token_hex(8),
        )
    except LabError as error:
        if isinstance(error, NotFound):
            raise
        page = _page(
            found,
            _typed(bases),
            problem=error.message,
            sweep_open=True,
            bases=(bases, away),
        )
        return page, error.status
    return redirect(url_for("train_sweeps.sweep", sweep_id=sweep_id), 303)


@bp.post("/predict")
@player_required
def predict() -> ResponseReturnValue:
    """Say what the choices would cost, and show them as a recipe."""
    found = _data()
    bases, away = _bases()
    try:
        chosen = _choices(bases)
    except InvalidInput as error:
        if not context.is_partial():
            page = _page(found, _typed(bases), problem=error.message)
            return page, error.status
        return _prediction(found, None, problem=error.message)
    if not context.is_partial():
        return _page(found, chosen, bases=(bases, away))
    return _prediction(found, chosen)


@bp.post("/recipe")
@player_required
def recipe() -> ResponseReturnValue:
    """Fill the form from a recipe in YAML; nothing is begun."""
    found = _data()
    bases, away = _bases()
    text = request.form.get("recipe", "")
    usual = Choices(title=_title(found.name))
    names = {base.name: base.is_fresh for base in bases}
    try:
        chosen, settings = recipes.from_yaml(text, usual, bases=names)
        is_own = found.owner_id == player_id()
        if settings and not is_own and settings != dict(found.settings):
            raise InvalidInput(OF_OTHERS)
        if settings and is_own:
            found = data.look(
                services(),
                player_id=player_id(),
                data_id=found.id,
                model=chosen.base,
                settings=settings,
                seed=0,
            )
    except LabError as error:
        page = _page(
            found, usual, recipe_problem=error.message, typed=text, bases=(bases, away)
        )
        return page, error.status
    return _page(found, chosen, filled=True, bases=(bases, away))


@bp.post("/try")
@player_required
def try_base() -> ResponseReturnValue:
    """Prompt a model before it is trained."""
    found = _data()
    bases, away = _bases()
    said, problem, status = None, "", 200
    chosen = _typed(bases)
    try:
        said = _ask(bases, chosen)
    except LabError as error:
        if error.retry_after is not None and not context.is_partial():
            raise
        problem, status = error.message, error.status
    if context.is_partial():
        part = render_template("train/_tried.html", said=said, problem=problem)
        return part, status
    page = _page(found, chosen, tried=said, try_problem=problem, bases=(bases, away))
    return page, status


def _ask(bases: tuple[Base, ...], chosen: Choices) -> prompting.Said:
    base = next((one for one in bases if one.name == chosen.base), None)
    if base is None and choosing.is_hub_name(chosen.base):
        raise InvalidInput(
            "A model of the hub can be tried here once a training has fetched it."
        )
    if base is None:
        raise NotFound("There is no such model to begin with.")
    if base.is_fresh:
        raise InvalidInput(
            "This model is still empty: it would write random characters."
        )
    wanted = prompting.read_wanted(
        prompt=request.form.get("try_prompt", ""),
        tokens="",
        temperature="",
        seed="",
        is_chat=False,
        system="",
    )
    with seats.seat():
        return prompting.ask(
            services(), player_id=player_id(), model=base.name, wanted=wanted
        )


def _data() -> data.DataView:
    data_id = request.form.get("data", 0, type=int)
    return shared_data.usable(services(), player_id=player_id(), data_id=data_id)


def _bases() -> tuple[tuple[Base, ...], str]:
    try:
        return services().training.bases(), ""
    except LabError as error:
        return (), error.message


def _choices(bases: tuple[Base, ...]) -> Choices:
    fresh = frozenset(base.name for base in bases if base.is_fresh)
    fields = request.form.to_dict()
    chosen = choosing.read(fields, fresh_bases=fresh)
    sizes = {
        name: int(fields[f"fresh_{name}"])
        for name in ("vocabulary", "layers", "width", "heads")
        if fields.get(f"fresh_{name}", "").isdecimal()
    }
    return replace(chosen, fresh=sizes) if sizes and chosen.base == "fresh" else chosen


def _typed(bases: tuple[Base, ...]) -> Choices:
    """Return as much of what was typed as can be read."""
    try:
        return _choices(bases)
    except InvalidInput:
        fields = request.form.to_dict()
    usable: dict[str, str] = {}
    fresh = frozenset(base.name for base in bases if base.is_fresh)
    for name, value in fields.items():
        try:
            choosing.read({**usable, name: value}, fresh_bases=fresh)
        except InvalidInput:
            continue
        usable[name] = value
    return choosing.read(usable, fresh_bases=fresh)


def _estimate(found: data.DataView, chosen: Choices) -> tuple[Estimate | None, str]:
    try:
        return (
            runs.predict(
                services(), player_id=player_id(), data_id=found.id, choices=chosen
            ),
            "",
        )
    except LabError as error:
        return None, error.message


def _costs(found: data.DataView, chosen: Choices) -> dict[str, Any]:
    estimate, away = _estimate(found, chosen)
    return {
        "estimate": estimate,
        "away": away,
        "advice": choosing.advice(chosen),
        "yaml": recipes.to_yaml(chosen, found.settings, file_name=_file_name(found)),
        "left": runs.minutes_left(services(), player_id=player_id()),
        "allowed": runs.minutes_allowed(services(), player_id=player_id()),
    }


def _prediction(
    found: data.DataView, chosen: Choices | None, *, problem: str = ""
) -> str:
    costs = {} if chosen is None else _costs(found, chosen)
    return render_template(
        "train/_prediction.html", problem=problem, chosen=chosen, **costs
    )


def _page(
    found: data.DataView,
    chosen: Choices,
    *,
    bases: tuple[tuple[Base, ...], str] | None = None,
    **more: Any,
) -> str:
    known, away = _bases() if bases is None else bases
    return render_template(
        "train/new.html",
        data=found,
        bases=known,
        bases_away=away,
        chosen=chosen,
        form_mark=secrets.token_hex(8),
        plain=choosing.plain,
        zones=choosing.ZONES,
        rates=choosing.RATES,
        methods=shown.METHODS,
        guesses=sweeping.GUESSES,
        good_chars=choosing.GOOD_CHARS,
        **(_costs(found, chosen) if not away else {"away": away}),
        **more,
    )


def _title(name: str) -> str:
    return f"{name.rpartition('.')[0] or name} model"[: choosing.TITLE_CHARS]


def _first_words(found: data.DataView) -> str:
    """Return how a row of the data begins, as a prompt for samples."""
    if found.report is None or not found.report.rendered:
        return ""
    row = found.report.rendered[0]
    if row.answer:
        return row.text[: choosing.PROMPT_CHARS]
    return " ".join(row.text.split()[:4])


def _file_name(found: data.DataView) -> str:
    """Return what the data is called as a file: a shipped set has none of its own."""
    return f"{found.file_id}.jsonl" if found.is_shipped else found.name
