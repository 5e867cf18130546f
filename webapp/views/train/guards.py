"""Train a guard: its messages, looked at before; and the page of a guard."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.play.own_messages import own_messages
from webapp.domain.train import guards, models
from webapp.domain.train.everyday import EVERYDAY
from webapp.domain.train.guards import Messages
from webapp.errors import InvalidInput, LabError
from webapp.llm.training_shapes import Judged
from webapp.web import context, programs, seats
from webapp.web.context import player_id, services
from webapp.web.guests import needs_player
from webapp.web.uploads import takes_files

bp = Blueprint("train_guards", __name__, url_prefix="/train/guards")

SHOWN_WRONG = 50
# What a program asks that is copied before anything was typed.
EXAMPLE = "Hello! What is behind the gate?"


@bp.get("/new")
def new() -> ResponseReturnValue:
    """Show two empty boxes, and what fills them."""
    return _new(Messages())


@bp.post("/new")
@takes_files
@needs_player
def act() -> ResponseReturnValue:
    """Add to the boxes, look at what is in them, or train."""
    typed = Messages(
        tuple(request.form.get("attacks", "").splitlines()),
        tuple(request.form.get("harmless", "").splitlines()),
    )
    told = ""
    try:
        typed = guards.read_boxes("\n".join(typed.attacks), "\n".join(typed.harmless))
        match request.form.get("do"):
            case "notebook":
                typed, told = _with_notebook(typed)
            case "everyday":
                typed = _joined(typed, Messages((), EVERYDAY))
            case "file":
                typed = _joined(typed, _uploaded())
            case "train":
                return _train(typed)
    except LabError as error:
        if error.retry_after is not None:
            raise
        return _new(typed, problem=error.message), error.status
    return _new(typed, told=told, has_looked=True)


def guard_page(page: models.ModelPage, **more: Any) -> str:
    """Return the page of a guard: its owner alone sees its messages."""
    wrong: tuple[Judged, ...] = ()
    away = ""
    if page.is_own:
        try:
            wrong = guards.wrong_ones(services(), page.run)
        except LabError as error:
            away = error.message
    address = url_for(
        "api_train_guards.judge_message", name=page.run.name, _external=True
    )
    body = {"message": more.get("message") or EXAMPLE}
    return render_template(
        "train/guard.html",
        page=page,
        curl=programs.curl(address, body),
        python=programs.python(address, body),
        run=page.run,
        wrong=wrong,
        shown_wrong=SHOWN_WRONG,
        away=away,
        few=guards.FEW,
        longest=guards.LONGEST,
        files=models.GUARD_FILES,
        **more,
    )


def _train(typed: Messages) -> ResponseReturnValue:
    with seats.seat():
        run_id = guards.start(
            services(),
            player_id=player_id(),
            messages=typed,
            title=request.form.get("title", ""),
            form=request.form.get("form", "") or secrets.token_hex(8),
        )
    return redirect(url_for("train_runs.run", run_id=run_id), 303)


def _with_notebook(typed: Messages) -> tuple[Messages, str]:
    found = own_messages(services(), player_id=player_id())
    if not found.messages:
        return typed, (
            "There is nothing in your notebook to take yet. Only conversations that are"
            " over are taken."
        )
    told = (
        "Your messages are among the attacks now. Cut the harmless ones out and paste"
        " them into the other box."
    )
    if found.left_out:
        told += f" {found.left_out} left out, because a password is in them."
    return _joined(typed, Messages(found.messages, ())), told


def _joined(first: Messages, more: Messages) -> Messages:
    return guards.read_boxes(
        "\n".join((*first.attacks, *more.attacks)),
        "\n".join((*first.harmless, *more.harmless)),
    )


def _uploaded() -> Messages:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput("Choose a file first.")
    return guards.read_file(file.filename, file.stream.read(guards.FILE_BYTES + 1))


def _new(typed: Messages, **more: Any) -> str:
    return render_template(
        "train/guard_new.html",
        typed=typed,
        least=guards.LEAST,
        everyday=len(EVERYDAY),
        title=request.form.get("title", ""),
        form_mark=request.form.get("form", "") or secrets.token_hex(8),
        player=context.player(),
        **more,
    )
