"""The players of a class, for the instructor who looks after it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField, StringField

from webapp.domain.people import own_classes, roster
from webapp.domain.teach import concerns
from webapp.errors import Conflict, Forbidden, LabError
from webapp.web.context import instructor, instructor_required, services
from webapp.web.forms import LabForm
from webapp.web.qr_codes import qr_code

bp = Blueprint("roster", __name__, url_prefix="/teach")


class RenameForm(LabForm):
    """Give a player another nickname."""

    name = StringField("Nickname")


class BoardNameForm(LabForm):
    """Give a player another name on the leaderboard."""

    alias = StringField(
        "Name on the leaderboard", description="Leave it empty to show the nickname."
    )


class RemoveForm(LabForm):
    """Delete a player, after saying so twice."""

    is_sure = BooleanField("Yes, delete this player. This cannot be undone.")


class MoveForm(LabForm):
    """Move a player to another class."""

    to = SelectField("Class", validate_choice=False)


@bp.get("/classes/<int:class_id>/people")
@instructor_required
def people(class_id: int) -> ResponseReturnValue:
    """Show the people of a class, and how to join it."""
    page = roster.class_page(services(), actor=_actor(), class_id=class_id)
    listed = concerns.concerns(services(), actor=_actor(), class_id=class_id)
    link = url_for("people.join", code=page.info.join_code, _external=True)
    return render_template(
        "teach/people.html", page=page, concerns=listed, link=link, code=qr_code(link)
    )


@bp.get("/players/<int:player_id>")
@instructor_required
def player(player_id: int) -> ResponseReturnValue:
    """Show what can be done for a player."""
    return _page(player_id)


@bp.post("/players/<int:player_id>/name")
@instructor_required
def rename(player_id: int) -> ResponseReturnValue:
    """Give a player another nickname."""
    form = RenameForm()
    try:
        roster.rename(
            services(), actor=_actor(), player_id=player_id, name=form.text("name")
        )
    except Forbidden:
        raise
    except LabError as error:
        status = form.refuse("name", error)
        return _page(player_id, rename_form=form), status
    return _done(player_id, "The nickname is changed.")


@bp.post("/players/<int:player_id>/alias")
@instructor_required
def alias(player_id: int) -> ResponseReturnValue:
    """Change or remove the name on the leaderboard."""
    form = BoardNameForm()
    try:
        roster.set_alias(
            services(), actor=_actor(), player_id=player_id, alias=form.text("alias")
        )
    except Forbidden:
        raise
    except LabError as error:
        status = form.refuse("alias", error)
        return _page(player_id, alias_form=form), status
    return _done(player_id, "The name on the leaderboard is changed.")


@bp.post("/players/<int:player_id>/hide")
@instructor_required
def hide(player_id: int) -> ResponseReturnValue:
    """Take a player off the leaderboard."""
    roster.hide(services(), actor=_actor(), player_id=player_id, is_hidden=True)
    return _done(player_id, "This player is on no leaderboard now.")


@bp.post("/players/<int:player_id>/show")
@instructor_required
def show(player_id: int) -> ResponseReturnValue:
    """Put a player back on the leaderboard."""
    roster.hide(services(), actor=_actor(), player_id=player_id, is_hidden=False)
    return _done(player_id, "This player is on the leaderboard again.")


@bp.post("/players/<int:player_id>/code")
@instructor_required
def give_code(player_id: int) -> ResponseReturnValue:
    """Replace a lost recovery code and show the new one, this once."""
    code = roster.give_code(services(), actor=_actor(), player_id=player_id)
    return _page(player_id, given_code=code.text)


@bp.post("/players/<int:player_id>/class")
@instructor_required
def move(player_id: int) -> ResponseReturnValue:
    """Move a player to another class."""
    form = MoveForm()
    number = form.text("to")
    try:
        name = roster.move(
            services(),
            actor=_actor(),
            player_id=player_id,
            class_id=int(number) if number.isdecimal() and len(number) < 11 else 0,
        )
    except Conflict as error:
        status = form.refuse("to", error)
        return _page(player_id, move_form=form), status
    return _done(player_id, f"This player is in “{name}” now, with everything.")


@bp.post("/players/<int:player_id>/remove")
@instructor_required
def remove(player_id: int) -> ResponseReturnValue:
    """Delete a player."""
    form = RemoveForm()
    member = roster.member(services(), actor=_actor(), player_id=player_id)
    if not form.is_sure.data:
        form.is_sure.errors = ["Tick the box first: deleting cannot be undone."]
        return _page(player_id, remove_form=form), 400
    roster.remove(services(), actor=_actor(), player_id=player_id)
    flash("The player and everything they wrote have been deleted.", "success")
    return redirect(url_for("roster.people", class_id=member.class_id), 303)


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())


def _done(player_id: int, message: str) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("roster.player", player_id=player_id), 303)


def _page(
    player_id: int,
    *,
    rename_form: RenameForm | None = None,
    alias_form: BoardNameForm | None = None,
    move_form: MoveForm | None = None,
    remove_form: RemoveForm | None = None,
    given_code: str | None = None,
) -> str:
    member = roster.member(services(), actor=_actor(), player_id=player_id)
    # A form that was not sent is empty except for what is already stored.
    stored = {"name": member.name, "alias": member.alias}
    move_form = move_form or MoveForm(formdata=None)
    move_form.to.choices = [
        (str(other.id), other.name)
        for other in own_classes.taught(services(), actor=_actor())
        if other.id != member.class_id
    ]
    return render_template(
        "teach/player.html",
        member=member,
        rename_form=rename_form or RenameForm(formdata=None, data=stored),
        alias_form=alias_form or BoardNameForm(formdata=None, data=stored),
        move_form=move_form,
        remove_form=remove_form or RemoveForm(formdata=None),
        given_code=given_code,
    )
