"""What a class wrote in a panel, for those who have passed it themselves."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.learn import gallery as galleries
from webapp.domain.learn import lesson as lessons
from webapp.domain.people.roster import actor_of
from webapp.errors import Conflict, InvalidInput
from webapp.views.learn import pages
from webapp.web import context
from webapp.web.context import player_id, player_required, services

bp = Blueprint("gallery", __name__, url_prefix="/learn/<track>/<slug>/<panel>/gallery")


@bp.get("")
@player_required
def pieces(track: str, slug: str, panel: str) -> ResponseReturnValue:
    """Show what was handed in; an instructor sees hidden pieces as well."""
    return _page(track, slug, panel)


@bp.post("")
@player_required
def hand_in(track: str, slug: str, panel: str) -> ResponseReturnValue:
    """Hand in a run of one's own that passed."""
    try:
        galleries.hand_in(
            services(),
            player_id=player_id(),
            run_id=request.form.get("run", 0, type=int),
            note=request.form.get("note", ""),
        )
    except (Conflict, InvalidInput) as error:
        return _page(track, slug, panel, problem=error.message), error.status
    return _back(track, slug, panel)


@bp.post("/take-back")
@player_required
def take_back(track: str, slug: str, panel: str) -> ResponseReturnValue:
    """Take one's own piece out again."""
    galleries.take_back(
        services(), player_id=player_id(), lesson_id=f"{track}/{slug}", panel=panel
    )
    return _back(track, slug, panel)


def _page(track: str, slug: str, panel: str, problem: str | None = None) -> str:
    page = lessons.lesson_page(services(), player_id(), f"{track}/{slug}")
    view = page.panel(panel)
    player = context.player()
    if player is not None and player.is_instructor:
        found = galleries.taught_gallery(
            services(), actor=actor_of(player), lesson_id=page.id, panel=panel
        )
    else:
        found = galleries.class_gallery(
            services(), player_id=player_id(), lesson_id=page.id, panel=panel
        )
    passed = (run.id for run in view.history if run.result == "passed")
    return render_template(
        "learn/gallery.html",
        lesson=page,
        track=track,
        slug=slug,
        panel=panel,
        pieces=[(one.piece, pages.run(one.run, view)) for one in found],
        run_id=next(passed, None),
        has_own=any(one.piece.is_own for one in found),
        problem=problem,
    )


def _back(track: str, slug: str, panel: str) -> ResponseReturnValue:
    target = url_for("gallery.pieces", track=track, slug=slug, panel=panel)
    return redirect(target, 303)
