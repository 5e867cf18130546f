"""What a student has done: for the teacher, and the same for the student."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.db import LAST_ID
from webapp.domain.people import roster
from webapp.domain.teach import work
from webapp.views.train.shown import STATES
from webapp.web.context import (
    instructor,
    instructor_required,
    player_id,
    player_required,
    services,
)

bp = Blueprint("work", __name__)


@bp.get("/teach/players/<int:player_id>/work")
@instructor_required
def of_player(player_id: int) -> ResponseReturnValue:
    """Show what a student of one's class has done."""
    seen = work.of_player(
        services(),
        actor=roster.actor_of(instructor()),
        player_id=player_id,
        part=request.args.get("part", work.GATES),
        before=_before(),
    )
    return render_template(
        "teach/work.html", work=seen, parts=work.PARTS, states=STATES
    )


@bp.get("/me/seen")
@player_required
def own() -> ResponseReturnValue:
    """Show a student what a teacher sees of them."""
    seen = work.own(
        services(),
        player_id=player_id(),
        part=request.args.get("part", work.GATES),
        before=_before(),
    )
    return render_template(
        "teach/seen.html", work=seen, parts=work.PARTS, states=STATES
    )


def _before() -> int | None:
    before = request.args.get("before", type=int)
    return None if before is None else max(0, min(before, LAST_ID))
