"""The course: all lessons, how far one is, and the one button to the next."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.domain.learn import course as courses
from webapp.domain.learn import daily as old
from webapp.domain.play import keep
from webapp.web import context
from webapp.web.context import services

bp = Blueprint("learn", __name__)


@bp.get("/learn")
def course() -> ResponseReturnValue:
    """Show the course and the way to the keep, to anybody."""
    player = context.player()
    return render_template(
        "learn/course.html",
        keep=keep.map_page(services(), player_id=player.id if player else None),
        daily=old.daily(services(), player_id=player.id) if player else (),
        **course_values(),
    )


def course_values() -> dict[str, Any]:
    """Return what a template needs to tell of the course."""
    player = context.player()
    page = courses.course_page(services(), player.id if player else None)
    lessons = [lesson for track in page.tracks for lesson in track.lessons]
    return {
        "course": page,
        "is_begun": any(lesson.state != "new" for lesson in lessons),
    }
