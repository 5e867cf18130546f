"""Pieces of galleries, whatever they are of: who shows what to whom, and votes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from webapp.db import find_row, insert_missing
from webapp.domain.people import classes, roster
from webapp.domain.people.players import shown_name
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import Forbidden, InvalidInput, NotFound
from webapp.rows import GalleryPiece, PieceVote, Player

NOTE_CHARS: Final = 300
PIECES_SHOWN: Final = 60
NO_PIECE: Final = "There is no such piece in a gallery that is open to you."


@dataclass(frozen=True, slots=True)
class Spot:
    """What a gallery is of: a panel of a lesson, or a level; then `panel` is "".

    `former` are the ids that the lesson had before.
    """

    thing: str
    panel: str = ""
    former: tuple[str, ...] = ()

    @property
    def things(self) -> tuple[str, ...]:
        """All ids under which there may be pieces."""
        return (self.thing, *self.former)


@dataclass(frozen=True, slots=True)
class PieceInfo:
    """A piece as somebody sees it. `name` is how its player is called on boards.

    `may_vote` is so for what somebody else of the class shows.
    """

    id: int
    generation_id: int
    name: str
    is_own: bool
    is_hidden: bool
    note: str
    votes: int
    is_liked: bool
    may_vote: bool
    created_at: datetime


def clean_note(note: str) -> str:
    """Return the note of a piece as it is kept; raise InvalidInput if it is none."""
    if len(note) > NOTE_CHARS:
        raise InvalidInput(f"A note has at most {NOTE_CHARS} characters.")
    return require_text(note, what="note").strip()


def put(
    session: Session,
    services: Services,
    *,
    player_id: int,
    spot: Spot,
    generation_id: int,
    note: str,
) -> None:
    """Show a generation in a gallery; a new one takes the place of one's old one.

    What was voted for is gone then, and what an instructor has hidden stays hidden.
    """
    piece = own_piece(session, player_id, spot)
    if piece is None:
        piece = GalleryPiece(player_id=player_id, thing=spot.thing, panel=spot.panel)
        session.add(piece)
    elif piece.generation_id != generation_id:
        session.execute(delete(PieceVote).where(PieceVote.piece_id == piece.id))
    piece.generation_id = generation_id
    piece.note = note
    piece.created_at = services.now()


def take_back(services: Services, *, player_id: int, spot: Spot) -> None:
    """Take one's own piece out of a gallery, if it is there."""
    with services.db.write() as session:
        piece = own_piece(session, player_id, spot)
        if piece is not None:
            session.delete(piece)


def own_piece(session: Session, player_id: int, spot: Spot) -> GalleryPiece | None:
    """Return what a player shows in a gallery."""
    query = select(GalleryPiece).where(GalleryPiece.player_id == player_id, _at(spot))
    return session.scalars(query).first()


def hide(
    services: Services, *, actor: Actor, piece_id: int, is_hidden: bool = True
) -> GalleryPiece:
    """Hide a piece of a class that somebody teaches, or show it again."""
    taught = roster.taught(services, actor=actor)
    with services.db.write() as session:
        piece = find_row(session, GalleryPiece, piece_id)
        owner = session.get(Player, piece.player_id) if piece else None
        if piece is None or owner is None or owner.class_id not in taught:
            raise NotFound("There is no such piece in a class that you teach.")
        piece.is_hidden = is_hidden
        return piece


def like(
    session: Session,
    services: Services,
    *,
    player: Player,
    piece: GalleryPiece,
    is_liked: bool,
) -> None:
    """Vote for a piece of one's class, or take the vote back.

    Whether the gallery is open to the player is for the caller to know. Raises
    Forbidden for one's own, and NotFound for what the class does not see.
    """
    if piece.player_id == player.id:
        raise Forbidden("A vote for a piece of your own would not say much.")
    is_seen = select(GalleryPiece.id).join(Player).where(_seen_by(session, player))
    if session.scalar(is_seen.where(GalleryPiece.id == piece.id)) is None:
        raise NotFound(NO_PIECE)
    if is_liked:
        now = services.now()
        insert_missing(
            session,
            PieceVote,
            piece_id=piece.id,
            player_id=player.id,
            created_at=now,
        )
        return
    session.execute(
        delete(PieceVote).where(
            PieceVote.piece_id == piece.id, PieceVote.player_id == player.id
        )
    )


def of_class(session: Session, player: Player, spot: Spot) -> tuple[PieceInfo, ...]:
    """Return what a player's class shows, the best liked first, then the newest.

    Those without a class see their own alone: in the open class nobody looks after it.
    """
    return _infos(session, _at(spot) & _seen_by(session, player), player.id)


def of_owner(session: Session, player: Player, spot: Spot) -> tuple[PieceInfo, ...]:
    """Return a player's own piece, if there is one."""
    own = _at(spot) & (GalleryPiece.player_id == player.id)
    return _infos(session, own, player.id)


def of_classes(
    session: Session, class_ids: Collection[int], spot: Spot, viewer_id: int | None
) -> tuple[PieceInfo, ...]:
    """Return what some classes show, hidden pieces as well."""
    wanted = _at(spot) & Player.class_id.in_(class_ids)
    return _infos(session, wanted, viewer_id, is_staff=True)


def counts(
    session: Session, *, player: Player | None = None, class_ids: Collection[int] = ()
) -> dict[tuple[str, str], int]:
    """Count by thing and panel what a player sees, or what some classes show."""
    seen = (
        _seen_by(session, player) if player else Player.class_id.in_(tuple(class_ids))
    )
    query = (
        select(GalleryPiece.thing, GalleryPiece.panel, func.count())
        .join(Player)
        .where(seen)
        .group_by(GalleryPiece.thing, GalleryPiece.panel)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def _at(spot: Spot) -> ColumnElement[bool]:
    return GalleryPiece.thing.in_(spot.things) & (GalleryPiece.panel == spot.panel)


def _seen_by(session: Session, player: Player) -> ColumnElement[bool]:
    own_class = classes.own_class(session, player)
    return or_(
        GalleryPiece.player_id == player.id,
        (Player.class_id == own_class)
        & GalleryPiece.is_hidden.is_(False)
        & Player.is_hidden.is_(False),
    )


def _infos(
    session: Session,
    wanted: ColumnElement[bool],
    viewer_id: int | None,
    *,
    is_staff: bool = False,
) -> tuple[PieceInfo, ...]:
    return tuple(
        PieceInfo(
            id=piece.id,
            generation_id=piece.generation_id,
            name=shown_name(player),
            is_own=player.id == viewer_id,
            is_hidden=piece.is_hidden,
            note=piece.note,
            votes=votes,
            is_liked=is_liked,
            may_vote=not is_staff and player.id != viewer_id,
            created_at=piece.created_at,
        )
        for piece, player, votes, is_liked in session.execute(
            _pieces(viewer_id).where(wanted)
        )
    )


def _pieces(viewer_id: int | None) -> Select[Any]:
    votes = (
        select(func.count())
        .where(PieceVote.piece_id == GalleryPiece.id)
        .scalar_subquery()
    )
    liked = exists().where(
        PieceVote.piece_id == GalleryPiece.id, PieceVote.player_id == viewer_id
    )
    return (
        select(GalleryPiece, Player, votes, liked)
        .join(Player, Player.id == GalleryPiece.player_id)
        .order_by(votes.desc(), GalleryPiece.created_at.desc(), GalleryPiece.id.desc())
        .limit(PIECES_SHOWN)
    )
