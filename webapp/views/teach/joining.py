"""The page for the projector: how to join a class, and who has."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.people import own_classes, roster
from webapp.web.context import instructor, instructor_required, is_partial, services
from webapp.web.qr_codes import qr_code

bp = Blueprint("joining", __name__, url_prefix="/teach/classes/<int:class_id>/join")

# More do not fit on a wall.
SHOWN = 80


@bp.get("")
@instructor_required
def projected(class_id: int) -> ResponseReturnValue:
    """Show join code, address and QR code large, and the names as they arrive."""
    page = roster.arrivals(services(), actor=_actor(), class_id=class_id, most=SHOWN)
    if is_partial():
        return render_template("teach/_arrivals.html", page=page)
    link = url_for("people.join", code=page.info.join_code, _external=True)
    return render_template(
        "teach/join.html",
        page=page,
        info=page.info,
        link=link,
        address=request.host + url_for("people.join"),
        code=qr_code(link),
    )


@bp.post("/open")
@instructor_required
def open_(class_id: int) -> ResponseReturnValue:
    """Let new players join."""
    return _set(class_id, is_joinable=True)


@bp.post("/close")
@instructor_required
def close(class_id: int) -> ResponseReturnValue:
    """Let no new players join."""
    return _set(class_id, is_joinable=False)


def _set(class_id: int, *, is_joinable: bool) -> ResponseReturnValue:
    own_classes.set_joinable(
        services(), actor=_actor(), class_id=class_id, is_joinable=is_joinable
    )
    flash(
        "Your class is open: the code lets new players in."
        if is_joinable
        else "Your class is closed: the code lets nobody new in. Who is in stays in.",
        "success",
    )
    return redirect(url_for("joining.projected", class_id=class_id), 303)


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())
