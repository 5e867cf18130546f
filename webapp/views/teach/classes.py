"""A class as its instructor sees it: who is where, where it gets hard, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.people import roster
from webapp.domain.play import evidence
from webapp.domain.teach import concerns, tables
from webapp.domain.teach import funnel as funnels
from webapp.domain.teach import progress as standings
from webapp.domain.teach.progress import NAME, POINTS, SEEN, ProgressPage
from webapp.web.context import instructor, instructor_required, is_partial, services

bp = Blueprint("classes", __name__, url_prefix="/teach/classes")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the links of the page lead: they keep what else was chosen."""

    page: ProgressPage

    def sorted_by(self, key: str) -> str:
        """Return the address of the page sorted by a column, or the other way round."""
        first = key if key == NAME else f"-{key}"
        other = key if first != key else f"-{key}"
        return self.at(sort=other if self.page.sort == first else first)

    def order(self, key: str) -> str | None:
        """Return how the page is sorted by a column, as a screen reader is told."""
        if self.page.sort.removeprefix("-") != key:
            return None
        return "descending" if self.page.sort.startswith("-") else "ascending"

    def at(self, **changes: str | None) -> str:
        """Return the address of the page with something else chosen."""
        page = self.page
        first = page.ladders[0][0] if page.ladders else None
        chosen: dict[str, Any] = {
            "sort": None if page.sort == NAME else page.sort,
            "ladder": None if page.ladder == first else page.ladder,
            "track": page.track,
        }
        return url_for("classes.progress", class_id=page.info.id, **chosen | changes)


@bp.get("/<int:class_id>")
@instructor_required
def progress(class_id: int) -> ResponseReturnValue:
    """Show who is stuck, and each student at each gate and in each track."""
    actor = _actor()
    page = standings.progress_page(
        services(),
        actor=actor,
        class_id=class_id,
        sort=request.args.get("sort") or NAME,
        ladder=request.args.get("ladder"),
        track=request.args.get("track"),
    )
    fixed = {"name": NAME, "seen": SEEN, "points": POINTS}
    if is_partial():
        return render_template(
            "teach/_progress.html", page=page, places=Places(page), fixed=fixed
        )
    return render_template(
        "teach/progress.html",
        page=page,
        places=Places(page),
        fixed=fixed,
        tables=tables.TABLES,
        concerns=concerns.concerns(services(), actor=actor, class_id=class_id),
        shared=evidence.shared_guesses(services(), class_id=class_id),
    )


@bp.get("/<int:class_id>/funnel")
@instructor_required
def funnel(class_id: int) -> ResponseReturnValue:
    """Show where students give up, for each gate and each panel."""
    page = funnels.funnel_page(
        services(),
        actor=_actor(),
        class_id=class_id,
        ladder=request.args.get("ladder"),
        track=request.args.get("track"),
    )
    return render_template("teach/funnel.html", page=page)


@bp.get("/<int:class_id>/csv/<what>")
@instructor_required
def csv(class_id: int, what: str) -> ResponseReturnValue:
    """Download one of the tables of a class."""
    table = tables.table(services(), actor=_actor(), class_id=class_id, what=what)
    name = f"wordkeep-class-{class_id}-{what}.csv"
    return Response(
        table,
        mimetype="text/csv",
        headers={
            "Content-Disposition": f"attachment; filename={name}",
            "Cache-Control": "no-store",
        },
    )


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())
