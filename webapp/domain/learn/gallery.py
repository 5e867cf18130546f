"""The gallery of a panel: what a class has made, for those who have passed as well."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.lessons.schema import Lesson
from webapp.domain.learn import progress
from webapp.domain.learn.history import RunView, require_run, run_view
from webapp.domain.learn.practice import require_panel
from webapp.domain.people import pieces, roster
from webapp.domain.people.pieces import PieceInfo, Spot
from webapp.domain.people.players import require_player
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden
from webapp.rows import Practice


@dataclass(frozen=True, slots=True)
class RunPiece:
    """A run in the gallery."""

    piece: PieceInfo
    run: RunView


def spot_of(lesson: Lesson, panel: str) -> Spot:
    """Return where the pieces of a panel are."""
    return Spot(lesson.id, panel, lesson.info.was)


def hand_in(services: Services, *, player_id: int, run_id: int, note: str = "") -> None:
    """Show a run to one's class; one for each panel, a new one takes its place.

    Raises NotFound, InvalidInput, or Conflict if the run did not pass.
    """
    text = pieces.clean_note(note)
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        row = require_run(session, player_id, run_id)
        if row.result != "passed":
            raise Conflict("Only a run that passed can go into the gallery.")
        lesson = services.content.current().lesson(row.lesson_id)
        pieces.put(
            session,
            services,
            player_id=player_id,
            spot=spot_of(lesson, row.panel),
            generation_id=row.id,
            note=text,
        )


def take_back(
    services: Services, *, player_id: int, lesson_id: str, panel: str
) -> None:
    """Take one's own run out of the gallery, if it is there."""
    lesson = services.content.current().lesson(lesson_id)
    pieces.take_back(services, player_id=player_id, spot=spot_of(lesson, panel))


def class_gallery(
    services: Services, *, player_id: int, lesson_id: str, panel: str
) -> tuple[RunPiece, ...]:
    """Return what the player's class shows; Forbidden before a pass."""
    lesson = services.content.current().lesson(lesson_id)
    require_panel(lesson, panel)
    with services.db.read() as session:
        player = require_player(session, player_id)
        require_passed(session, player_id, lesson, panel)
        shown = pieces.of_class(session, player, spot_of(lesson, panel))
        return with_runs(session, shown)


def taught_gallery(
    services: Services, *, actor: Actor, lesson_id: str, panel: str
) -> tuple[RunPiece, ...]:
    """Return what the classes show that somebody teaches, hidden pieces as well."""
    lesson = services.content.current().lesson(lesson_id)
    taught = roster.taught(services, actor=actor)
    with services.db.read() as session:
        spot = spot_of(lesson, panel)
        shown = pieces.of_classes(session, taught, spot, actor.player_id)
        return with_runs(session, shown)


def require_passed(
    session: Session, player_id: int, lesson: Lesson, panel: str
) -> None:
    """Raise Forbidden unless a player has passed a panel."""
    state = progress.panel_state(session, player_id, lesson, panel)
    if state is None or state.passed_at is None:
        raise Forbidden(
            "The gallery opens once you have passed this panel yourself.",
            code="not_passed",
        )


def with_runs(session: Session, shown: tuple[PieceInfo, ...]) -> tuple[RunPiece, ...]:
    """Return pieces of a panel with their runs."""
    ids = [piece.generation_id for piece in shown]
    rows = session.scalars(select(Practice).where(Practice.id.in_(ids)))
    views = map(run_view, rows)
    runs = {run.id: run for run in views}
    return tuple(
        RunPiece(piece, runs[piece.generation_id])
        for piece in shown
        if piece.generation_id in runs
    )
