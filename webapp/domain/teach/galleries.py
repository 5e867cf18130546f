"""All galleries of a class in one place: which are open, votes, pictures to share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.db import find_row
from webapp.domain.learn import gallery as panels
from webapp.domain.learn import progress
from webapp.domain.people import pieces, roster
from webapp.domain.people.pieces import NO_PIECE
from webapp.domain.people.players import require_player
from webapp.domain.people.roster import Actor
from webapp.domain.play import gallery as gates
from webapp.domain.play import visits
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.rows import GalleryPiece, Player


@dataclass(frozen=True, slots=True)
class OpenGallery:
    """A gallery that is open to somebody; `panel` is "" at a gate."""

    thing: str
    panel: str
    title: str
    pieces: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece is: a panel of a lesson, or a level; then `panel` is ""."""

    thing: str
    panel: str


@dataclass(frozen=True, slots=True)
class PiecePicture:
    """What a picture of one's own piece says; `name` is None unless it was chosen.

    `kind` is won or tried for a message to a warden, passed for a prompt of a panel.
    """

    title: str
    kind: Literal["won", "tried", "passed"]
    wrote: str
    came: str
    name: str | None


@dataclass(frozen=True, slots=True)
class ResultPicture:
    """What a picture of one's result says. `lit` tells of each gate if it is open."""

    title: str
    lit: tuple[bool, ...]
    points: int
    lessons: int
    name: str | None

    @property
    def opened(self) -> int:
        """How many gates are open."""
        return sum(self.lit)


def open_to_player(services: Services, *, player_id: int) -> tuple[OpenGallery, ...]:
    """Return the gates that a player has opened, and passed panels with pieces."""
    index = services.content.current()
    with services.db.read() as session:
        player = require_player(session, player_id)
        counted = pieces.counts(session, player=player)
        solved = visits.solved_levels(session, player_id)
        reached = progress.reached(session, index, player_id)
    passed = {key for key, state in reached.panels.items() if state.passed_at}
    found = _known(index, counted)
    return tuple(
        one
        for one in found
        if (one.thing in solved if not one.panel else (one.thing, one.panel) in passed)
        and (one.pieces or not one.panel)
    )


def open_to_staff(services: Services, *, actor: Actor) -> tuple[OpenGallery, ...]:
    """Return the galleries in which classes that somebody teaches show something."""
    taught = roster.taught(services, actor=actor)
    with services.db.read() as session:
        counted = pieces.counts(session, class_ids=taught)
    index = services.content.current()
    return tuple(one for one in _known(index, counted) if one.pieces)


def vote(services: Services, *, player_id: int, piece_id: int, is_liked: bool) -> Place:
    """Vote for a piece, or take the vote back; return where the piece is.

    Raises NotFound for what the player does not see, and Forbidden for a piece of
    their own or in a gallery that is not open to them yet.
    """
    index = services.content.current()
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        piece = _require_piece(session, piece_id)
        place = _place(index, piece)
        if place.panel:
            lesson = index.lesson(place.thing)
            panels.require_passed(session, player_id, lesson, place.panel)
        else:
            gates.require_won(session, player_id, place.thing)
        pieces.like(session, services, player=player, piece=piece, is_liked=is_liked)
        return place


def hide(services: Services, *, actor: Actor, piece_id: int, is_hidden: bool) -> Place:
    """Hide a piece of a class that somebody teaches, or show it; return its place."""
    piece = pieces.hide(services, actor=actor, piece_id=piece_id, is_hidden=is_hidden)
    return _place(services.content.current(), piece)


def piece_picture(
    services: Services, *, player_id: int, piece_id: int, has_name: bool = False
) -> PiecePicture:
    """Return the picture of a piece of one's own; NotFound for anybody else's."""
    index = services.content.current()
    with services.db.read() as session:
        player = require_player(session, player_id)
        piece = _require_piece(session, piece_id)
        if piece.player_id != player_id:
            raise NotFound(NO_PIECE)
        place = _place(index, piece)
        name = _name(player) if has_name else None
        if place.panel:
            lesson = index.lesson(place.thing)
            spot = panels.spot_of(lesson, place.panel)
            (of_run,) = panels.with_runs(
                session, pieces.of_owner(session, player, spot)
            )
            wrote = "\n".join(filter(None, of_run.run.values.values()))
            came = next(iter(of_run.run.replies), "")
            return PiecePicture(lesson.info.title, "passed", wrote, came, name)
        level = index.level(place.thing)
        shown = pieces.of_owner(session, player, pieces.Spot(level.id))
        (of_attempt,) = gates.with_attempts(session, services, level, shown)
        return PiecePicture(
            title=level.title,
            kind="won" if of_attempt.is_winning else "tried",
            wrote=of_attempt.message,
            came=of_attempt.reply or "",
            name=name,
        )


def result_picture(
    services: Services, *, player_id: int, has_name: bool = False
) -> ResultPicture:
    """Return the picture of what a player has reached: of numbers alone."""
    index = services.content.current()
    with services.db.read() as session:
        player = require_player(session, player_id)
        solved = visits.solved_levels(session, player_id)
        reached = progress.reached(session, index, player_id)
    ladder = max(
        index.ladders.values(),
        key=lambda one: sum(level_id in solved for level_id in one.levels),
    )
    lessons = (lesson for track in index.tracks for lesson in track.lessons)
    return ResultPicture(
        title=ladder.title,
        lit=tuple(level_id in solved for level_id in ladder.levels),
        points=sum(solve.points for solve in solved.values()),
        lessons=sum(reached.state(one) in ("done", "helped") for one in lessons),
        name=_name(player) if has_name else None,
    )


def _name(player: Player) -> str:
    """Return the player's own name: they have chosen to show it."""
    return player.alias or player.name


def _require_piece(session: Session, piece_id: int) -> GalleryPiece:
    piece = find_row(session, GalleryPiece, piece_id)
    if piece is None:
        raise NotFound(NO_PIECE)
    return piece


def _place(index: Index, piece: GalleryPiece) -> Place:
    """Return where a piece is now: a lesson may have another id since."""
    if not piece.panel:
        return Place(index.level(piece.thing).id, "")
    return Place(index.lesson(piece.thing).id, piece.panel)


def _known(index: Index, counted: dict[tuple[str, str], int]) -> Iterator[OpenGallery]:
    """Yield the galleries that there are: gates first, in the order of the content."""
    for name in index.ladders:
        for level in index.levels(name):
            number = counted.get((level.id, ""), 0)
            yield OpenGallery(level.id, "", level.title, number)
    for track in index.tracks:
        for lesson in track.lessons:
            for panel in lesson.panels:
                ids = progress.ids(lesson)
                number = sum(counted.get((one, panel.name), 0) for one in ids)
                yield OpenGallery(lesson.id, panel.name, lesson.info.title, number)
