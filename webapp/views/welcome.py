"""The first page, and the button that starts a game."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from webapp.domain.people import joining
from webapp.domain.people.accounts import NewPlayer
from webapp.domain.play import keep
from webapp.errors import Conflict, LabError
from webapp.views.people.nicknames import guest_name
from webapp.web import context
from webapp.web.context import services
from webapp.web.forms import LabForm
from webapp.web.limits import sign_up_limit
from webapp.web.rendering import STREAMS, THEMES
from webapp.web.seals import form_mark

bp = Blueprint("welcome", __name__)

MADE_UP_TRIES = 5
YEAR = 365 * 86_400


class PlayForm(LabForm):
    """Start at once; the message is the first thing said to the warden."""

    name = StringField("Nickname, if you like")
    message = StringField("Say something to the warden")


@bp.get("/")
def home() -> ResponseReturnValue:
    """Show what this is, and the first gate."""
    return _page(PlayForm(), 200)


@bp.post("/play")
@sign_up_limit
def play() -> ResponseReturnValue:
    """Make a player and go to the first gate, with the message that was typed."""
    form = PlayForm()
    if context.player() is None:
        try:
            newcomer = _create(form.text("name"))
        except LabError as error:
            return _page(form, form.refuse("name", error))
        context.sign_in(newcomer.player_id)
        session["recovery_code"] = newcomer.recovery_code
    session["draft"] = form.text("message")[:500]
    keep_map = keep.map_page(services(), player_id=context.player_id())
    gate = keep_map.next_open or keep_map.levels[-1]
    return redirect(url_for("keep.level", level_id=gate.id), 303)


@bp.post("/preferences")
def preferences() -> ResponseReturnValue:
    """Keep how the visitor likes pages to look and replies to come."""
    target = context.safe_next(request.form.get("next"), url_for("welcome.home"))
    response = redirect(target, 303)
    for name, choices in (("theme", THEMES), ("stream", STREAMS)):
        value = request.form.get(name, "")
        if value in choices:
            response.set_cookie(
                name,
                value,
                max_age=YEAR,
                samesite="Lax",
                secure=services().settings.secure_cookies,
            )
    return response


def _page(form: PlayForm, status: int) -> tuple[str, int]:
    player = context.player()
    keep_map = keep.map_page(services(), player_id=player.id if player else None)
    return render_template("welcome/home.html", form=form, keep=keep_map), status


def _create(name: str) -> NewPlayer:
    """Join under the given nickname, or under one that nobody has yet."""
    for _ in range(MADE_UP_TRIES):
        try:
            return joining.join(services(), form=form_mark(), name=name or guest_name())
        except Conflict:
            if name:
                raise
    raise Conflict("Every nickname we made up was taken. Please type one.")
