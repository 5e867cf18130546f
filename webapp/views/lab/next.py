"""What may come next: a text that grows token by token, and its branches."""

from __future__ import annotations

from typing import Any, Final

from flask import (
    Blueprint,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from webapp.domain.lab import planting, trees
from webapp.domain.lab.expected import MOST_TOP_K, Cut, read_cut
from webapp.domain.lab.models import models_for
from webapp.domain.safety.answers import SiteAnswer
from webapp.errors import BackendError, Conflict, InvalidInput, LabError
from webapp.views.lab.next_shown import tree_page
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, services
from webapp.web.guests import needs_player
from webapp.web.seals import form_mark

bp = Blueprint("lab_next", __name__, url_prefix="/lab/next")

FAILURES: Final = (InvalidInput, Conflict, BackendError)


@bp.get("")
def index() -> ResponseReturnValue:
    """Ask how a text begins, and list what one has grown. A link fills the boxes."""
    return _index()


@bp.post("")
@needs_player
def plant() -> ResponseReturnValue:
    """Look at what may follow a beginning."""
    form = request.form
    try:
        start = planting.read_start(
            text=form.get("text", ""),
            talk=form.get("talk", planting.TEXT),
            system=form.get("system", ""),
            reply=form.get("reply", ""),
        )
        with seats.seat():
            found = planting.plant(
                services(),
                player_id=player_id(),
                model=form.get("model", ""),
                start=start,
                cut=_cut(),
                form=form_mark(),
            )
    except FAILURES as error:
        if error.retry_after is not None:
            raise
        return _index(problem=error.message), error.status
    if isinstance(found, SiteAnswer):
        return _index(answer=found.text)
    return redirect(url_for("lab_next.tree", tree_id=found), 303)


@bp.get("/<int:tree_id>")
@player_required
def tree(tree_id: int) -> ResponseReturnValue:
    """Show a tree, at the node that `at` names, or at its beginning."""
    seen = trees.find(services(), player_id=player_id(), tree_id=tree_id)
    at = request.args.get("at", 0, type=int)
    here = seen.node(at) if at else seen.root
    return render_template(
        "lab/next_tree.html",
        page=tree_page(seen, here),
        tree=seen,
        most_top_k=MOST_TOP_K,
    )


@bp.post("/<int:tree_id>/draw")
@player_required
def draw(tree_id: int) -> ResponseReturnValue:
    """Draw one token or ten after a node."""
    form = request.form
    at = form.get("at", 0, type=int)

    def grow() -> int | SiteAnswer:
        return trees.grow(
            services(),
            player_id=player_id(),
            tree_id=tree_id,
            node_id=at,
            tokens=form.get("tokens", 0, type=int),
            cut=_cut(),
        )

    return _done(tree_id, at, grow)


@bp.post("/<int:tree_id>/choose")
@player_required
def choose(tree_id: int) -> ResponseReturnValue:
    """Go on with a token of the list; `pick` is a node and the id of the token."""
    node, _, token = request.form.get("pick", "").partition(":")
    at = int(node) if node.isdecimal() and len(node) < 19 else 0
    token_id = int(token) if token.isdecimal() and len(token) < 10 else -1

    def pick() -> int | SiteAnswer:
        return trees.choose(
            services(),
            player_id=player_id(),
            tree_id=tree_id,
            node_id=at,
            token_id=token_id,
            cut=_cut(),
        )

    return _done(tree_id, at, pick)


@bp.post("/<int:tree_id>/look")
@player_required
def look(tree_id: int) -> ResponseReturnValue:
    """Look at what may follow with another temperature or other cut-offs."""
    at = request.form.get("at", 0, type=int)

    def again() -> int | SiteAnswer:
        answer = trees.look_again(
            services(), player_id=player_id(), tree_id=tree_id, node_id=at, cut=_cut()
        )
        return at if answer is None else answer

    return _done(tree_id, at, again)


@bp.post("/<int:tree_id>/mark")
@player_required
def mark(tree_id: int) -> ResponseReturnValue:
    """Mark a branch, or take the mark away."""
    form = request.form
    at = form.get("at", 0, type=int)
    try:
        trees.mark(
            services(),
            player_id=player_id(),
            tree_id=tree_id,
            node_id=at,
            note=form.get("note", ""),
            is_marked=bool(form.get("marked")),
        )
    except InvalidInput as error:
        flash(error.message, "danger")
    return redirect(_place(tree_id, at, "branches"), 303)


@bp.post("/<int:tree_id>/name")
@player_required
def rename(tree_id: int) -> ResponseReturnValue:
    """Give a tree a name."""
    try:
        trees.rename(
            services(),
            player_id=player_id(),
            tree_id=tree_id,
            name=request.form.get("name", ""),
        )
    except InvalidInput as error:
        flash(error.message, "danger")
    return redirect(_place(tree_id, request.form.get("at", 0, type=int), ""), 303)


@bp.post("/<int:tree_id>/delete")
@player_required
def delete(tree_id: int) -> ResponseReturnValue:
    """Delete a tree for good."""
    trees.delete_one(services(), player_id=player_id(), tree_id=tree_id)
    flash("The tree is deleted.", "success")
    return redirect(url_for("lab_next.index"), 303)


def _cut() -> Cut:
    form = request.form
    return read_cut(
        temperature=form.get("temperature", ""),
        top_p=form.get("top_p", ""),
        top_k=form.get("top_k", ""),
    )


def _done(tree_id: int, at: int, act: Any) -> ResponseReturnValue:
    """Do something to a tree, and go where it leads; what failed is said there."""
    try:
        with seats.seat():
            found = act()
    except FAILURES as error:
        if error.retry_after is not None:
            raise
        flash(error.message, "danger")
        found = at
    if isinstance(found, SiteAnswer):
        flash(found.text, "info")
        found = at
    return redirect(_place(tree_id, found, "text"), 303)


def _place(tree_id: int, at: int, anchor: str) -> str:
    return url_for(
        "lab_next.tree", tree_id=tree_id, at=at or None, _anchor=anchor or None
    )


def _index(**more: Any) -> str:
    player = context.player()
    typed = request.form if request.method == "POST" else request.args
    mine = trees.mine(services(), player_id=player.id) if player is not None else ()
    return render_template(
        "lab/next.html",
        trees=mine,
        models=_models(player.id if player else None),
        typed=typed,
        most_top_k=MOST_TOP_K,
        **more,
    )


def _models(seen_by: int | None) -> Any:
    try:
        return models_for(services(), player_id=seen_by)
    except LabError:
        return ()
