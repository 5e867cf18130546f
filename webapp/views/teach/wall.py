"""The wall of a class, for a projector; it keeps itself up to date."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.people.classes import ClassInfo
from webapp.domain.people.roster import actor_of
from webapp.domain.teach import wall as walls
from webapp.web import context
from webapp.web.context import services
from webapp.web.qr_codes import qr_code
from webapp.web.rendering import THEMES

bp = Blueprint("wall", __name__)


@bp.get("/wall/<int:class_id>")
def wall(class_id: int) -> ResponseReturnValue:
    """Show the wall, or the part that changes; `key` is that of its link.

    `theme` is for this page alone: a projector is seldom set up by hand.
    """
    viewer = context.player()
    found = walls.wall(
        services(),
        class_id=class_id,
        actor=actor_of(viewer) if viewer and viewer.is_instructor else None,
        key=request.args.get("key", ""),
    )
    theme = request.args.get("theme", "")
    link = url_for("people.join", code=found.info.join_code, _external=True)
    is_part = context.is_partial()
    response = make_response(
        render_template(
            "teach/_wall.html" if is_part else "teach/wall.html",
            wall=found,
            wall_theme=theme if theme in THEMES else "dark",
            address=url_for("people.join", _external=True).partition("://")[2],
            code=qr_code(link),
        )
    )
    if not is_part:
        return response
    response.set_etag(found.version)
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


@bp.app_template_global()
def wall_url(info: ClassInfo, *, is_whole: bool = False) -> str:
    """Return the link to the wall of a class, for a screen without a sign-in."""
    key = walls.link_key(services(), info)
    return url_for("wall.wall", class_id=info.id, key=key, _external=is_whole)
