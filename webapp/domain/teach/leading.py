"""Leading a class: what is open, the clock, a pause, masks, and the next season."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.domain.people import classes, roster, rules
from webapp.domain.people.classes import ClassInfo, class_info
from webapp.domain.people.names import clean_line
from webapp.domain.people.roster import Actor
from webapp.domain.people.rules import Clock
from webapp.domain.play import leaderboard
from webapp.domain.services import Services
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import (
    CLOSED,
    GATE,
    HINTS,
    OPEN,
    TRACK_RULE,
    ClassRule,
)

TITLE_CHARS: Final = 80
SENTENCE_CHARS: Final = 200
MOST_MINUTES: Final = 600
# With every "add some" the clock gets this much.
MORE_MINUTES: Final = 5
STATES: Final = ("", OPEN, CLOSED)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A gate, a track or the hints, and what was said of it.

    `state` is "" where it is as the content says. `holds` tells whether it is so now.
    """

    kind: str
    thing: str
    title: str
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    holds: bool = False


@dataclass(frozen=True, slots=True)
class LeadPage:
    """All that the page on which a class is led shows."""

    info: ClassInfo
    gates: tuple[Ruled, ...]
    tracks: tuple[Ruled, ...]
    hints: Ruled
    clock: Clock | None
    look_here: str | None
    masks_rude: bool
    past_seasons: tuple[int, ...]
    now: datetime


def lead_page(services: Services, *, actor: Actor, class_id: int) -> LeadPage:
    """Return how a class is led; raise Forbidden for one that is not theirs."""
    now = services.now()
    with services.db.read() as session:
        row = roster.require_class(session, actor, class_id)
        things = tuple(_ruled(session, services, class_id))
        info, clock = class_info(row), rules.running_clock(row, now)
        look_here, masks = row.look_here, row.masks_rude
    return LeadPage(
        info=info,
        gates=tuple(thing for thing in things if thing.kind == GATE),
        tracks=tuple(thing for thing in things if thing.kind == TRACK_RULE),
        hints=next(thing for thing in things if thing.kind == HINTS),
        clock=clock,
        look_here=look_here,
        masks_rude=masks,
        past_seasons=leaderboard.past_seasons(services, class_id=class_id),
        now=now,
    )


def set_rule(
    services: Services,
    *,
    actor: Actor,
    class_id: int,
    kind: str,
    thing: str,
    state: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """Open or close a gate, a track or the hints, now or from one time to another.

    An empty `state` lets it be as the content says. Raises Forbidden, NotFound for an
    unknown thing, or InvalidInput for times that are over or the wrong way round.
    """
    with services.db.write() as session:
        roster.require_class(session, actor, class_id)
        if (kind, thing) not in dict(_things(services.content.current())):
            raise NotFound("There is no such gate or track.")
        _check_rule(state, since, until, services.now())
        row = session.get(ClassRule, (class_id, kind, thing), with_for_update=True)
        if not state:
            if row is not None:
                session.delete(row)
            return
        if row is None:
            row = ClassRule(class_id=class_id, kind=kind, thing=thing)
            session.add(row)
        row.state, row.since, row.until = state, since, until


def _check_rule(
    state: str, since: datetime | None, until: datetime | None, now: datetime
) -> None:
    if state not in STATES:
        raise InvalidInput("Choose: as it is, open or closed.")
    if until is not None and until <= now:
        raise InvalidInput("This end is over already. Choose a later one.")
    if since is not None and until is not None and since >= until:
        raise InvalidInput("The end must come after the beginning.")


def start_clock(
    services: Services, *, actor: Actor, class_id: int, title: str, minutes: int
) -> None:
    """Start a clock for a class, in place of one that runs."""
    if not 1 <= minutes <= MOST_MINUTES:
        raise InvalidInput(f"A clock runs for 1 to {MOST_MINUTES} minutes.")
    shown = _line(title, what="title", most=TITLE_CHARS) if title.strip() else None
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        row.clock_title = shown
        row.clock_ends_at = services.now() + timedelta(minutes=minutes)


def add_minutes(services: Services, *, actor: Actor, class_id: int) -> None:
    """Give a running clock more time; one that has run down goes on from now."""
    now = services.now()
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        if row.clock_ends_at is None:
            raise Conflict("No clock is running. Start one.")
        begin = max(row.clock_ends_at, now)
        row.clock_ends_at = begin + timedelta(minutes=MORE_MINUTES)


def stop_clock(services: Services, *, actor: Actor, class_id: int) -> None:
    """Take the clock away."""
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        row.clock_title = row.clock_ends_at = None


def look_here(
    services: Services, *, actor: Actor, class_id: int, sentence: str
) -> None:
    """Pause play, and show everybody a sentence; replies on their way go on."""
    shown = _line(sentence, what="sentence", most=SENTENCE_CHARS)
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        if row.look_here is None:
            roster.note_act(
                session, services, actor, None, "paused play", class_id=class_id
            )
        row.look_here = shown


def go_on(services: Services, *, actor: Actor, class_id: int) -> None:
    """Let play go on."""
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        if row.look_here is not None:
            roster.note_act(
                session, services, actor, None, "let play go on", class_id=class_id
            )
        row.look_here = None


def mask_rude(services: Services, *, actor: Actor, class_id: int, is_on: bool) -> None:
    """Mask rude words in replies that the class is shown, or no longer."""
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        row.masks_rude = is_on


def new_season(services: Services, *, actor: Actor, class_id: int) -> ClassInfo:
    """Begin a new season of a class; the board of the old one is kept."""
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        roster.note_act(
            session, services, actor, None, "began a new season", class_id=class_id
        )
        name = row.name
    return classes.start_season(services, name=name)


def season_board(
    services: Services, *, actor: Actor, class_id: int, season: int
) -> tuple[ClassInfo, leaderboard.Board]:
    """Return the board of a past season of a class; raise NotFound for no such one."""
    with services.db.read() as session:
        info = class_info(roster.require_class(session, actor, class_id))
    leaderboard.require_past_season(services, class_id, season)
    board = leaderboard.board(
        services, class_id=class_id, season=season, viewer_id=actor.player_id
    )
    return info, board


def _things(index: Index) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield all that can be opened and closed, with its title."""
    for ladder_id in index.ladders:
        for level in index.levels(ladder_id):
            yield (GATE, level.id), level.title
    for track in index.tracks:
        yield (TRACK_RULE, track.id), track.info.title
    yield (HINTS, ""), "Hints"


def _ruled(session: Session, services: Services, class_id: int) -> Iterator[Ruled]:
    now = services.now()
    rows = session.scalars(select(ClassRule).where(ClassRule.class_id == class_id))
    known = {
        (row.kind, row.thing): row
        for row in rows
        if row.until is None or row.until > now
    }
    for (kind, thing), title in _things(services.content.current()):
        row = known.get((kind, thing))
        if row is None:
            yield Ruled(kind, thing, title)
            continue
        holds = row.since is None or row.since <= now
        yield Ruled(kind, thing, title, row.state, row.since, row.until, holds)


def _line(text: str, *, what: str, most: int) -> str:
    return clean_line(text, what=what, fewest=1, most=most)
