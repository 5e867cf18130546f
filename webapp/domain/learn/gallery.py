"""The gallery of a panel: what a class has made, for those who have passed as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from webapp.content.lessons.schema import Lesson
from webapp.db import find_row
from webapp.domain.learn import progress
from webapp.domain.learn.history import RunView, require_run, run_view
from webapp.domain.learn.practice import require_panel
from webapp.domain.people import classes, roster, rules
from webapp.domain.people.players import require_player
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import Conflict, Forbidden, InvalidInput, NotFound
from webapp.rows import GalleryPiece, Player, Practice

NOTE_CHARS: Final = 300
PIECES_SHOWN: Final = 60
SOMEBODY: Final = "Somebody"

Pieces = Select[GalleryPiece, Player, Practice]


@dataclass(frozen=True, slots=True)
class PieceView:
    """A run in the gallery. `name` is how its player is called on boards."""

    id: int
    name: str
    is_own: bool
    is_hidden: bool
    note: str
    run: RunView
    created_at: datetime


def hand_in(services: Services, *, player_id: int, run_id: int, note: str = "") -> None:
    """Show a run to one's class; one for each panel, a new one takes its place.

    Raises NotFound, InvalidInput, or Conflict if the run did not pass.
    """
    if len(note) > NOTE_CHARS:
        raise InvalidInput(f"A note has at most {NOTE_CHARS} characters.")
    text = require_text(note, what="note").strip()
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        row = require_run(session, player_id, run_id)
        if row.result != "passed":
            raise Conflict("Only a run that passed can go into the gallery.")
        lesson = services.content.current().lesson(row.lesson_id)
        piece = _own_piece(session, player_id, lesson, row.panel)
        if piece is None:
            piece = GalleryPiece(
                player_id=player_id, lesson_id=lesson.id, panel=row.panel
            )
            session.add(piece)
        piece.practice_id = row.id
        piece.note = text
        piece.created_at = services.now()


def take_back(
    services: Services, *, player_id: int, lesson_id: str, panel: str
) -> None:
    """Take one's own run out of the gallery, if it is there."""
    lesson = services.content.current().lesson(lesson_id)
    with services.db.write() as session:
        piece = _own_piece(session, player_id, lesson, panel)
        if piece is not None:
            session.delete(piece)


def class_gallery(
    services: Services, *, player_id: int, lesson_id: str, panel: str
) -> tuple[PieceView, ...]:
    """Return what the player's class shows, newest first; Forbidden before a pass.

    Those without a class see their own alone: in the open class nobody looks after it.
    """
    lesson = services.content.current().lesson(lesson_id)
    require_panel(lesson, panel)
    with services.db.read() as session:
        player = require_player(session, player_id)
        state = progress.panel_state(session, player_id, lesson, panel)
        if state is None or state.passed_at is None:
            raise Forbidden(
                "The gallery opens once you have passed this panel yourself.",
                code="not_passed",
            )
        own_class = classes.own_class(session, player)
        shown = _pieces(lesson, panel).where(
            (GalleryPiece.player_id == player_id)
            | (
                (Player.class_id == own_class)
                & GalleryPiece.is_hidden.is_(False)
                & Player.is_hidden.is_(False)
            )
        )
        return _views(session, services, shown, player_id)


def taught_gallery(
    services: Services, *, actor: Actor, lesson_id: str, panel: str
) -> tuple[PieceView, ...]:
    """Return what the classes show that somebody teaches, hidden pieces as well."""
    lesson = services.content.current().lesson(lesson_id)
    taught = roster.taught(services, actor=actor)
    with services.db.read() as session:
        shown = _pieces(lesson, panel).where(Player.class_id.in_(taught))
        return _views(session, services, shown, actor.player_id)


def hide(
    services: Services, *, actor: Actor, piece_id: int, is_hidden: bool = True
) -> None:
    """Hide a piece of a class that somebody teaches, or show it again."""
    taught = roster.taught(services, actor=actor)
    with services.db.write() as session:
        piece = find_row(session, GalleryPiece, piece_id)
        owner = session.get(Player, piece.player_id) if piece else None
        if piece is None or owner is None or owner.class_id not in taught:
            raise NotFound("There is no such piece in a class that you teach.")
        piece.is_hidden = is_hidden


def _pieces(lesson: Lesson, panel: str) -> Pieces:
    return (
        select(GalleryPiece, Player, Practice)
        .join(Player, Player.id == GalleryPiece.player_id)
        .join(Practice, Practice.id == GalleryPiece.practice_id)
        .where(
            GalleryPiece.lesson_id.in_(progress.ids(lesson)),
            GalleryPiece.panel == panel,
        )
        .order_by(GalleryPiece.created_at.desc(), GalleryPiece.id.desc())
        .limit(PIECES_SHOWN)
    )


def _views(
    session: Session, services: Services, query: Pieces, player_id: int | None
) -> tuple[PieceView, ...]:
    masks = rules.of_id(session, services, player_id).masks_rude
    return tuple(
        PieceView(
            id=piece.id,
            name=_name(player),
            is_own=player.id == player_id,
            is_hidden=piece.is_hidden,
            note=piece.note,
            run=run.masked() if masks else run,
            created_at=piece.created_at,
        )
        for piece, player, run in (
            (piece, player, run_view(practice))
            for piece, player, practice in session.execute(query)
        )
    )


def _name(player: Player) -> str:
    """Return what the class may call a player: nothing, for one who is on no board."""
    if not player.is_listed:
        return SOMEBODY
    return player.alias or player.name


def _own_piece(
    session: Session, player_id: int, lesson: Lesson, panel: str
) -> GalleryPiece | None:
    return session.scalars(
        select(GalleryPiece).where(
            GalleryPiece.player_id == player_id,
            GalleryPiece.lesson_id.in_(progress.ids(lesson)),
            GalleryPiece.panel == panel,
        )
    ).first()
