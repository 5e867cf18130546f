"""Lesson plans, to read and to print."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.content import plans
from webapp.errors import NotFound
from webapp.web.context import instructor_required, services
from webapp.web.rendering import lesson_url

bp = Blueprint("plans", __name__, url_prefix="/teach/plans")


@bp.get("")
@instructor_required
def index() -> ResponseReturnValue:
    """List the plans."""
    found = plans.plans(services().settings.roots)
    return render_template("teach/plans.html", plans=found)


@bp.get("/<plan>")
@instructor_required
def show(plan: str) -> ResponseReturnValue:
    """Show a plan."""
    found = plans.read_plan(services().settings.roots, plan)
    return render_template("teach/plan.html", plan=found, text=found.linked(_link))


def _link(kind: str, thing: str) -> str:
    """Return a link in Markdown; of what is not in the content, the id alone."""
    index = services().content.current()
    try:
        if kind == "lesson":
            lesson = index.lesson(thing)
            return f"[{lesson.info.title}]({lesson_url(lesson.id)})"
        level = index.level(thing)
        levels = index.ladders[index.ladder_of(thing)].levels
        number = levels.index(thing) + 1
        place = url_for("keep.level", level_id=thing)
        return f"[Gate {number}, {level.title}]({place})"
    except NotFound:
        return f"“{thing}”"
