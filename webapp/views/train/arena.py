"""The arena: two texts, one vote, and how the models of the class stand."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.train import arena as arenas
from webapp.domain.train import duels, winners
from webapp.errors import (
    BackendError,
    Busy,
    Conflict,
    InvalidInput,
    NotFound,
    QuotaExceeded,
)
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, services
from webapp.web.guests import needs_player

bp = Blueprint("train_arena", __name__, url_prefix="/train/arena")


@bp.get("")
def arena() -> ResponseReturnValue:
    """Show what is to be judged, what came of the last vote, and the standings."""
    player = context.player()
    seen_by = player.id if player else None
    return render_template(
        "train/arena.html",
        arena=arenas.arena(services(), player_id=seen_by),
        told=_told(seen_by),
        chosen=_chosen(seen_by),
    )


@bp.post("")
@needs_player
def next_duel() -> ResponseReturnValue:
    """Let two models write."""
    try:
        with seats.seat():
            duels.next_duel(services(), player_id=player_id())
    except (BackendError, Busy, Conflict, QuotaExceeded) as error:
        flash(error.message, "danger")
    return redirect(url_for("train_arena.arena"), 303)


@bp.post("/<int:duel_id>")
@player_required
def vote(duel_id: int) -> ResponseReturnValue:
    """Keep a vote, and tell who was who."""
    try:
        duels.vote(
            services(),
            player_id=player_id(),
            duel_id=duel_id,
            verdict=request.form.get("verdict", ""),
        )
    except (Conflict, InvalidInput) as error:
        flash(error.message, "danger")
    return redirect(url_for("train_arena.arena", voted=duel_id), 303)


@bp.post("/chosen")
@player_required
def save_chosen() -> ResponseReturnValue:
    """Make a set of data of the texts that were chosen."""
    try:
        data_id = winners.make_of_votes(services(), player_id=player_id())
    except (BackendError, Conflict, InvalidInput) as error:
        flash(error.message, "danger")
        return redirect(url_for("train_arena.arena"), 303)
    return redirect(url_for("train_data.detail", data_id=data_id), 303)


def _chosen(seen_by: int | None) -> int:
    """Return how many texts somebody has chosen, of those that can be learned from."""
    if seen_by is None:
        return 0
    return len(winners.of_votes(services(), player_id=seen_by))


def _told(seen_by: int | None) -> duels.DuelView | None:
    """Return the duel that was voted on just now, if the address names one."""
    text = request.args.get("voted", "")
    if seen_by is None or not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    try:
        found = duels.told(services(), player_id=seen_by, duel_id=int(text))
    except NotFound:
        return None
    return found if found.verdict is not None else None
