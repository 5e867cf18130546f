"""The page of a trained model: its card, a box to try it, who may see it, downloads."""

from __future__ import annotations

import pprint
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

from webapp.domain.train import guards, latency, models, prompting, runs, tested
from webapp.errors import BackendError, Conflict, InvalidInput, LabError, NotFound
from webapp.llm.training_shapes import Curves
from webapp.views.train import shown
from webapp.views.train.guards import guard_page
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, services
from webapp.web.guests import needs_player

bp = Blueprint("train_models", __name__, url_prefix="/train/models")


@bp.get("/<name>")
def model(name: str) -> ResponseReturnValue:
    """Show a model to those who may see it."""
    player = context.player()
    seen_by = player.id if player else None
    models.refresh(services(), player_id=seen_by, name=name)
    return _page(name)


@bp.post("/<name>/prompt")
@needs_player
def prompt(name: str) -> ResponseReturnValue:
    """Ask the model, and its base beside it if that is wanted."""
    run = models.promptable(services(), player_id=player_id(), name=name)
    said: tuple[prompting.Said, ...] = ()
    problem, status = "", 200
    try:
        said = _ask(run, name)
    except LabError as error:
        if error.retry_after is not None and not context.is_partial():
            raise
        problem, status = error.message, error.status
    if context.is_partial():
        part = render_template(
            "train/_replies.html",
            run=run,
            said=said,
            problem=problem,
            latency=latency.of_run(services(), player_id=player_id(), run=run),
        )
        return part, status
    return _page(name, said=said, problem=problem, typed=request.form), status


@bp.post("/<name>/judge")
@needs_player
def judge(name: str) -> ResponseReturnValue:
    """Ask a guard what it takes a message for."""
    text = request.form.get("message", "")
    try:
        with seats.seat():
            said = guards.judge(services(), player_id=player_id(), name=name, text=text)
    except LabError as error:
        if error.retry_after is not None or isinstance(error, NotFound):
            raise
        return _page(name, problem=error.message, message=text), error.status
    return _page(name, said=said, message=text)


@bp.post("/<name>/visibility")
@player_required
def visibility(name: str) -> ResponseReturnValue:
    """Show it to nobody else, to one's class, or to everybody."""
    try:
        models.set_visibility(
            services(),
            player_id=player_id(),
            name=name,
            visibility=request.form.get("visibility", ""),
        )
        models.set_prompt(
            services(),
            player_id=player_id(),
            name=name,
            prompt=request.form.get("example", ""),
        )
        flash("Saved.", "success")
    except (Conflict, InvalidInput) as error:
        return _page(name, problem=error.message), error.status
    return redirect(url_for("train_models.model", name=name), 303)


@bp.post("/<name>/test")
@player_required
def unlock(name: str) -> ResponseReturnValue:
    """Judge it on the locked part of its data, once."""
    try:
        models.unlock_test(services(), player_id=player_id(), name=name)
        flash("The model is being judged on text that it has never seen.", "success")
    except (BackendError, Conflict) as error:
        flash(error.message, "danger")
    return redirect(url_for("train_models.model", name=name), 303)


@bp.post("/<name>/push")
@player_required
def push(name: str) -> ResponseReturnValue:
    """Send it to the Hugging Face hub with the token that was typed."""
    form = request.form
    try:
        url = models.push(
            services(),
            player_id=player_id(),
            name=name,
            repository=form.get("repository", ""),
            token=form.get("token", ""),
            is_private=form.get("who") != "everybody",
        )
    except (BackendError, Conflict, InvalidInput) as error:
        sent = form.get("repository", "").strip()
        return _page(name, push_problem=error.message, sent=sent), error.status
    flash(f"Sent. It is at {url}.", "success")
    return redirect(url_for("train_models.model", name=name), 303)


@bp.get("/<name>/files/<file>")
def download(name: str, file: str) -> ResponseReturnValue:
    """Pass a file of the model on, as it comes."""
    player = context.player()
    found = models.download(
        services(),
        player_id=player.id if player else None,
        name=name,
        file=file,
        quality=request.args.get("quality", ""),
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}-{file}"'}
    if isinstance(found, str):
        return Response(found, mimetype="application/yaml", headers=headers)
    if found.size:
        headers["Content-Length"] = found.size
    answer = Response(iter(found), mimetype="application/octet-stream", headers=headers)
    answer.call_on_close(found.close)
    return answer


def _ask(run: runs.RunView, name: str) -> tuple[prompting.Said, ...]:
    form = request.form
    wanted = prompting.read_wanted(
        prompt=form.get("prompt", ""),
        tokens=form.get("tokens", ""),
        temperature=form.get("temperature", ""),
        seed=form.get("seed", ""),
        is_chat=run.is_chat,
        system=str(run.data_settings.get("system", "")),
    )
    has_base = bool(form.get("beside")) and run.choices.method != "fresh"
    asked = (run.base, name) if has_base else (name,)
    with seats.seat():
        return prompting.side_by_side(
            services(), player_id=player_id(), models=asked, wanted=wanted
        )


def _page(name: str, **more: Any) -> str:
    player = context.player()
    seen_by = player.id if player else None
    page = models.page(services(), player_id=seen_by, name=name)
    if page.run.is_guard:
        return guard_page(page, **more)
    return render_template(
        "train/model.html",
        page=page,
        run=page.run,
        lines=shown.settings_lines([page.run]),
        figure=shown.figure,
        recipe_python=pprint.pformat(_recipe(page.run), sort_dicts=False, width=76),
        files=models.FILES,
        qualities=models.QUALITIES,
        usual_tokens=prompting.USUAL_TOKENS,
        most_tokens=prompting.MOST_TOKENS,
        latency=latency.of_run(services(), player_id=seen_by, run=page.run),
        tested=tested.rows(page.run),
        **_told(page),
        **more,
    )


def _told(page: models.ModelPage) -> dict[str, Any]:
    """Return what only the trainer knows of a run; the rest is there without it."""
    told: dict[str, Any] = {"curves": Curves(), "benchmarks": (), "away": ""}
    if page.run.job_id is None:
        return told
    training = services().training
    try:
        told["curves"] = training.curves(page.run.job_id)
        told["benchmarks"] = training.benchmarks(page.run.job_id)
    except LabError as error:
        told["away"] = error.message
    return told


def _recipe(run: runs.RunView) -> dict[str, Any]:
    """Return the recipe of a run as a program would send it."""
    data = {
        name: run.data_settings[name] for name in run.data_settings if name != "name"
    }
    return run.choices.recipe(data)
