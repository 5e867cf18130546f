"""What a class may use, and what it has used today."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from webapp.domain.people import roster, using
from webapp.domain.people.limits import OWN
from webapp.domain.people.using import TooHigh
from webapp.web.context import instructor, instructor_required, services
from webapp.web.forms import LabForm

bp = Blueprint("class_limits", __name__, url_prefix="/teach/classes/<int:class_id>")

_DIGITS = 10


class LimitsForm(LabForm):
    """Numbers of a class's own; an empty field leaves the number of the site."""

    sign_ups_per_hour = StringField("New players in an hour")
    attempts_per_day = StringField("Messages to wardens, each player a day")
    practices_per_day = StringField("Runs of lesson panels, each player a day")
    tokens_per_day = StringField("Tokens, the whole class a day")
    training_minutes_per_day = StringField("Minutes of training, each player a day")


@bp.get("/limits")
@instructor_required
def limits(class_id: int) -> ResponseReturnValue:
    """Show limits and use."""
    return _page(class_id)


@bp.post("/limits")
@instructor_required
def set_limits(class_id: int) -> ResponseReturnValue:
    """Set the limits of a class."""
    form = LimitsForm()
    wanted: dict[str, int | None] = {}
    for name in OWN:
        typed = form.text(name).replace(",", "").replace(" ", "")
        if typed and not (typed.isdecimal() and len(typed) <= _DIGITS):
            form[name].errors = ["Write a whole number such as 50, or leave it empty."]
        else:
            wanted[name] = int(typed) if typed else None
    if form.errors:
        return _page(class_id, form), 400
    try:
        using.set_limits(services(), actor=_actor(), class_id=class_id, wanted=wanted)
    except TooHigh as error:
        status = form.refuse(error.name, error)
        return _page(class_id, form), status
    flash("The limits are set. They hold from now on.", "success")
    return redirect(url_for("class_limits.limits", class_id=class_id), 303)


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())


def _page(class_id: int, form: LimitsForm | None = None) -> str:
    page = using.page(services(), actor=_actor(), class_id=class_id)
    form = form or LimitsForm(formdata=None, data=dict(page.own))
    for name in OWN:
        form[name].description = f"Empty: {page.usual[name]:,}, as on the whole site."
    return render_template("teach/limits.html", page=page, info=page.info, form=form)
