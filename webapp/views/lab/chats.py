"""Conversations of the playground that were kept: list, search, names, files, links."""

from __future__ import annotations

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

from webapp.domain.lab import chats, sent
from webapp.errors import Conflict, InvalidInput
from webapp.web.context import player_id, player_required, services

bp = Blueprint("chats", __name__, url_prefix="/lab/chats")


@bp.get("")
@player_required
def index() -> ResponseReturnValue:
    """List one's own conversations, or those in which some words occur."""
    return _list()


@bp.get("/file")
@player_required
def file() -> ResponseReturnValue:
    """Give a conversation as a file, to keep or to send on."""
    chat_id = request.args.get("chat", 0, type=int)
    kept = chats.find(services(), player_id=player_id(), chat_id=chat_id)
    own = chats.instructions(services(), player_id=player_id())
    if request.args.get("as") == "markdown":
        text, kind, end = sent.as_markdown, "text/markdown", "md"
    else:
        text, kind, end = sent.as_file, "application/json", "json"
    headers = {"Content-Disposition": f'attachment; filename="chat-{chat_id}.{end}"'}
    body = text(kept.line.title, kept.bench, own)
    return Response(body, mimetype=kind, headers=headers)


@bp.post("/<int:chat_id>/name")
@player_required
def rename(chat_id: int) -> ResponseReturnValue:
    """Give a conversation a name."""
    name = request.form.get("name", "")
    try:
        chats.rename(services(), player_id=player_id(), chat_id=chat_id, name=name)
    except InvalidInput as error:
        return _list(problem=error.message), error.status
    return _back("The conversation has its name.")


@bp.post("/<int:chat_id>/share")
@player_required
def share(chat_id: int) -> ResponseReturnValue:
    """Let one's class open a conversation by a link."""
    try:
        chats.share(services(), player_id=player_id(), chat_id=chat_id)
    except Conflict as error:
        return _list(problem=error.message), error.status
    return _back("Your class can open it by its link. Opening it asks no model.")


@bp.post("/<int:chat_id>/unshare")
@player_required
def unshare(chat_id: int) -> ResponseReturnValue:
    """Take a link back."""
    chats.unshare(services(), player_id=player_id(), chat_id=chat_id)
    return _back("The link opens nothing any more.")


@bp.post("/<int:chat_id>/delete")
@player_required
def delete(chat_id: int) -> ResponseReturnValue:
    """Delete a conversation."""
    chats.forget(services(), player_id=player_id(), chat_id=chat_id)
    return _back("The conversation is deleted.")


def _back(message: str) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("chats.index"), 303)


def _list(*, problem: str = "") -> str:
    words = request.args.get("q", "")
    found = chats.mine(services(), player_id=player_id(), words=words)
    return render_template("lab/chats.html", chats=found, words=words, problem=problem)
