"""The first page, and the button that starts a game."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from webapp.domain.people import joining
from webapp.domain.people.accounts import NewPlayer
from webapp.domain.play import attack, keep, notebook
from webapp.domain.play.keep import KeepMap
from webapp.errors import Conflict, LabError, NotFound
from webapp.views.learn.course import course_values
from webapp.views.people.forms import CODE_FAULTS
from webapp.views.people.nicknames import guest_name
from webapp.views.play.keep import send
from webapp.web import context, limits, seats
from webapp.web.context import services
from webapp.web.cookies import is_https_only
from webapp.web.forms import LabForm
from webapp.web.rendering import STREAMS, THEMES
from webapp.web.seals import form_mark

bp = Blueprint("welcome", __name__)

FIRST_WORDS = "What is the password?"
MADE_UP_TRIES = 5
YEAR = 365 * 86_400


class PlayForm(LabForm):
    """Start at once; the message is the first thing said to the warden."""

    name = StringField("Nickname (optional)")
    class_code = StringField("Class code (optional)")
    message = StringField("You say")


@bp.get("/")
def home() -> ResponseReturnValue:
    """Show what this is, and the first gate."""
    words = "" if context.player() else FIRST_WORDS
    return _page(PlayForm(data={"message": words}), 200)


@bp.post("/play")
def play() -> ResponseReturnValue:
    """Make a player, go to the next gate, and say there what was typed."""
    form = PlayForm()
    message = str(form.message.data or "")
    gate = _next_gate(_map())
    try:
        if message.strip():
            with seats.seat():
                attack.require_message(services(), level_id=gate, message=message)
    except LabError as error:
        return _page(form, form.refuse("message", error))
    if context.player() is None:
        try:
            with limits.sign_up(), limits.code_try():
                newcomer = _create(form.text("name"), form.text("class_code"))
        except LabError as error:
            field = "class_code" if error.code in CODE_FAULTS else "name"
            return _page(form, form.refuse(field, error))
        context.sign_in(newcomer.player_id, code_seed=newcomer.code_seed)
        if notebook.search(services(), player_id=newcomer.player_id, limit=1).items:
            # The second click of two: the first has said it already.
            message = ""
    if not message.strip():
        return redirect(url_for("keep.level", level_id=gate), 303)
    return send(gate, message, waits="waits" in request.form)


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
                secure=is_https_only(),
            )
    return response


def _page(form: PlayForm, status: int) -> tuple[str, int]:
    page = render_template(
        "welcome/home.html", form=form, keep=_map(), **course_values()
    )
    return page, status


def _map() -> KeepMap:
    player = context.player()
    return keep.map_page(services(), player_id=player.id if player else None)


def _next_gate(keep_map: KeepMap) -> str:
    if not keep_map.levels:
        raise NotFound("There are no gates for your class yet.")
    return (keep_map.next_open or keep_map.levels[-1]).id


def _create(name: str, class_code: str) -> NewPlayer:
    """Join under the given nickname, or under one that nobody has yet."""
    for _ in range(MADE_UP_TRIES):
        try:
            return joining.join(
                services(),
                form=form_mark(),
                name=name or guest_name(),
                class_code=class_code,
            )
        except Conflict:
            if name:
                raise
    raise Conflict("Every nickname we made up was taken. Please type one.")
