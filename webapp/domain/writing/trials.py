"""Trials: proofs and calibrations of what authors write, played by the site itself.

An instructor starts one and may leave the page: how it is played, see `trial_runs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.domain.writing import plays, tried
from webapp.domain.writing.plays import CALIBRATE, KINDS, PROVE, SIZES, Kind, Size
from webapp.domain.writing.trial_runs import (
    DONE,
    OPEN,
    RUNNING,
    STOPPED,
    WAITING,
    current_index,
    require,
    set_going,
    tend,
)
from webapp.domain.writing.tried import TrialView
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import Player, Trial

__all__ = [
    "Offer",
    "Thing",
    "Tried",
    "latest",
    "start",
    "stop",
    "tend",
    "things",
    "view",
]

MOST_WAITING: Final = 20
LISTED: Final = 30
# How long one play takes where none was measured here yet.
SECONDS_PER_PLAY: Final = 2.0


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be started: how many plays it is at most, and about how long."""

    kind: Kind
    size: Size
    plays: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Thing:
    """A level or panel of the content, and its newest proof, if it was ever tried."""

    thing: str
    title: str
    group: str
    proof: TrialView | None


@dataclass(frozen=True, slots=True)
class Tried:
    """A level or panel (`thing`): what can be started, and the latest trials of it.

    `problem` says why nothing can be started, if so.
    """

    thing: str
    title: str
    offers: tuple[Offer, ...]
    latest: tuple[TrialView, ...]
    problem: str = ""


def start(
    services: Services, *, actor_id: int, kind: str, thing: str, size: str = "full"
) -> int:
    """Put a trial in line, and see that somebody plays it; return its id.

    Raises InvalidInput for what cannot be tried, NotFound for a text that there is
    not, Conflict if the same trial waits or too many do.
    """
    wanted, much = plays.read_kind(kind), plays.read_size(size)
    work = plays.work(current_index(services), kind=wanted, thing=thing, size=much)
    with services.db.write() as session:
        require_player(session, actor_id, lock=True)
        waiting = session.scalars(select(Trial).where(Trial.state.in_(OPEN))).all()
        if any((one.kind, one.thing) == (wanted, thing) for one in waiting):
            raise Conflict("This is being tried already. Wait for it, or stop it.")
        if len(waiting) >= MOST_WAITING:
            raise Conflict(
                f"{MOST_WAITING} trials wait already. Come back when some are done."
            )
        row = Trial(
            player_id=actor_id,
            kind=wanted,
            thing=thing,
            digest=work.digest,
            settings={"size": much},
            state=WAITING,
            boot_id=services.boot.id,
            total=work.plays,
            created_at=services.now(),
        )
        session.add(row)
        session.flush()
        trial_id = row.id
    set_going(services)
    return trial_id


def stop(services: Services, *, trial_id: int) -> None:
    """Stop a trial; a play that has begun ends, and is not kept. Raises NotFound."""
    with services.db.write() as session:
        row = require(session, trial_id)
        if row.state in OPEN:
            row.state = STOPPED
            row.finished_at = services.now()


def view(services: Services, *, trial_id: int) -> TrialView:
    """Return a trial with its result; raise NotFound."""
    with services.db.read() as session:
        is_open = require(session, trial_id).state in OPEN
    # The page of one that is played asks every two seconds.
    index = None if is_open else _readable_index(services)
    with services.db.read() as session:
        return _view(session, services, require(session, trial_id), index)


def latest(services: Services, thing: str) -> Tried:
    """Return what can be tried of a level or panel, and how it went the last time.

    Raises NotFound if neither the drafts nor the content have it.
    """
    try:
        index = current_index(services)
    except InvalidInput as error:
        return Tried(thing, thing, (), (), error.message)
    offers, title, problem = [], "", ""
    for kind in KINDS:
        if kind == CALIBRATE and "#" in thing:
            continue
        for size in SIZES:
            try:
                work = plays.work(index, kind=kind, thing=thing, size=size)
            except InvalidInput as error:
                problem = error.message
                continue
            title = work.title
            seconds = work.plays * _pace_seen(services, kind)
            offers.append(Offer(kind, size, work.plays, seconds))
    with services.db.read() as session:
        rows = [_latest_row(session, kind, thing) for kind in KINDS]
        views = [_view(session, services, row, index) for row in rows if row]
    return Tried(thing, title or thing, tuple(offers), tuple(views), problem)


def things(services: Services) -> tuple[Thing, ...]:
    """Return every level and panel that can be tried, with its newest proof."""
    index = _readable_index(services)
    newest = select(func.max(Trial.id)).where(Trial.kind == PROVE).group_by(Trial.thing)
    with services.db.read() as session:
        rows = session.scalars(select(Trial).where(Trial.id.in_(newest)))
        views = {row.thing: _view(session, services, row, index) for row in rows}
    levels = [
        Thing(level.id, level.title, ladder.title, views.get(level.id))
        for ladder in index.ladders.values()
        for level in index.levels(ladder.id)
    ]
    panels = [
        Thing(
            thing := f"{lesson.id}#{panel.name}",
            f"{lesson.info.title}: {panel.name}",
            track.info.title,
            views.get(thing),
        )
        for track in index.tracks
        for lesson in track.lessons
        for panel in lesson.panels
    ]
    return (*levels, *panels)


def _readable_index(services: Services) -> Index:
    """Return the drafts, or what players have while those are broken."""
    try:
        return current_index(services)
    except InvalidInput:
        return services.content.current()


def _latest_row(session: Session, kind: Kind, thing: str) -> Trial | None:
    return session.scalar(
        select(Trial)
        .where(Trial.kind == kind, Trial.thing == thing)
        .order_by(Trial.id.desc())
        .limit(1)
    )


def _view(
    session: Session, services: Services, row: Trial, index: Index | None
) -> TrialView:
    """Return a trial; without an index it is not asked whether its text has changed."""
    result = row.result
    is_report = row.kind == CALIBRATE
    return TrialView(
        id=row.id,
        kind=row.kind,
        thing=row.thing,
        size=row.settings["size"],
        state=row.state,
        done=row.done,
        total=row.total,
        by=session.get_one(Player, row.player_id).name,
        created_at=row.created_at,
        finished_at=row.finished_at,
        seconds_left=_seconds_left(row, services.now()),
        place=_place(session, row),
        error=row.error,
        is_current=index is None or _digest(index, row) == row.digest,
        proved=tried.proved(result) if result and not is_report else None,
        calibrated=tried.calibrated(index, result)
        if index and result and is_report
        else None,
    )


def _digest(index: Index, row: Trial) -> str | None:
    """Return the hash of the text as it is now; None if it cannot be tried any more."""
    kind, size = (
        plays.read_kind(row.kind),
        plays.read_size(row.settings["size"]),
    )
    try:
        return plays.work(index, kind=kind, thing=row.thing, size=size).digest
    except (InvalidInput, NotFound):
        return None


def _place(session: Session, row: Trial) -> int:
    if row.state != WAITING:
        return 0
    before = select(func.count()).where(Trial.state.in_(OPEN), Trial.id <= row.id)
    return session.scalar(before) or 0


def _seconds_left(row: Trial, now: datetime) -> float | None:
    if row.state != RUNNING or not row.done:
        return None
    spent = (now - datetime.fromisoformat(row.settings["began"])).total_seconds()
    return spent / row.done * max(0, row.total - row.done)


def _pace_seen(services: Services, kind: Kind) -> float:
    """Return how many seconds a play took in the last trial of a kind."""
    query = (
        select(Trial)
        .where(Trial.kind == kind, Trial.state == DONE, Trial.done > 0)
        .order_by(Trial.id.desc())
        .limit(1)
    )
    with services.db.read() as session:
        row = session.scalar(query)
        if row is None or row.result is None:
            return SECONDS_PER_PLAY
        return max(0.05, float(row.result["seconds"]) / row.done)
