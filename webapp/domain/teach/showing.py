"""A student's attempt for the wall: anonymous, guard by guard, and run once more.

While its visit is open, nothing is shown by which its password could be known: no
reply, and no message that names it. Afterwards the message is shown, and on request the
reply, as far as its player may see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.db import find_row
from webapp.domain.generations import events, runs
from webapp.domain.people import roster
from webapp.domain.people.classes import ClassInfo, class_info
from webapp.domain.people.roster import Actor
from webapp.domain.play import disclosure, guard_names, visits
from webapp.domain.play.disclosure import Disclosure
from webapp.domain.play.turn import Judged, TurnRecord, run_turn, sampling
from webapp.domain.play.winning import gives_away
from webapp.domain.quotas import Limit
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden, LabError, NotFound
from webapp.plugins.guard import Stage
from webapp.rows import (
    ATTEMPT,
    BLOCKED,
    DEMO,
    FINISHED,
    HELPED,
    REFUSED,
    Attempt,
    Generation,
    Player,
    SchoolClass,
    Visit,
)
from webapp.security import Secret
from webapp.text import rude

# What the warden guards when an attempt is run once more.
WORD: Final = "sunflower"
PER_MINUTE: Final = 10
LINES: Final = 20
MESSAGE_CHARS: Final = 160


@dataclass(frozen=True, slots=True)
class Step:
    """One guard on the way, and what it said; the rest is None where it is hidden."""

    name: str
    term: str
    stage: Stage
    allowed: bool
    score: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """An attempt for the wall. `message` and `reply` are None where they are hidden.

    `is_visit_open` says that this is why. `hides_guards` says that the gate does not
    show its guards to players, `hides_reply` that there is a reply of a visit that is
    over, and either that nobody has asked for them here. `is_rerun`
    says that the model was asked again, about another word.
    """

    id: int
    info: ClassInfo
    level_title: str
    message: str | None
    steps: tuple[Step, ...]
    blocked_text: str | None
    reply: str | None
    is_visit_open: bool
    hides_guards: bool
    hides_reply: bool = False
    is_rerun: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """An attempt in a list, without its player."""

    id: int
    level_title: str
    message: str | None
    is_blocked: bool
    created_at: datetime


@dataclass(slots=True)
class _Demo(runs.Job[Generation]):
    """A message to a warden that guards a harmless word."""

    services: Services
    level: Level
    message: str
    user: str
    seed: int
    record: TurnRecord = field(default_factory=TurnRecord)

    def play(self) -> Iterator[events.Event]:
        """Play the turn; its verdicts are read from the record."""
        for happened in run_turn(
            self.level,
            secret=Secret(WORD),
            history=(),
            message=self.message,
            gateway=self.services.gateway,
            user=self.user,
            seed=self.seed,
            record=self.record,
        ):
            if not isinstance(happened, Judged):
                yield happened


def show(
    services: Services,
    *,
    actor: Actor,
    attempt_id: int,
    wants_guards: bool = False,
    wants_reply: bool = False,
) -> Shown:
    """Return an attempt of a class that somebody teaches; raise Forbidden for others.

    What the site answered itself raises Conflict: it is for nobody else to read.
    `wants_guards` shows guards of a gate that hides them from players, `wants_reply`
    what the warden said in a visit that is over.
    """
    index = services.content.current()
    with services.db.read() as session:
        row, player = _require(session, actor, attempt_id)
        if row.status in {HELPED, REFUSED}:
            raise Conflict(
                "This message needs a person, so it is not for the wall. You find it "
                "on the page of the class."
            )
        level = index.level(row.level_id)
        solved = visits.solved_levels(session, player.id)
        own = disclosure.of_attempt(row, index=index, solved=solved)
        known = Disclosure("full", own.is_solved) if wants_guards else own
        visit = session.get_one(Visit, row.visit_id)
        is_open = visit.ended_at is None
        school_class = session.get_one(SchoolClass, player.class_id)
        reply = None if is_open else own.reply(row.status, row.reply)
        if reply and school_class.masks_rude:
            reply = rude.masked(reply)
        return Shown(
            id=row.id,
            info=class_info(school_class),
            level_title=level.title,
            message=_message(services, level, visit, row),
            steps=tuple(_steps(level, known, row.verdicts)),
            blocked_text=level.blocked_text if row.status == BLOCKED else None,
            reply=reply if wants_reply else None,
            is_visit_open=is_open,
            hides_guards=not known.names_guards,
            hides_reply=bool(reply) and not wants_reply,
        )


def run_again(services: Services, *, actor: Actor, attempt_id: int) -> Shown:
    """Ask the model again, with a harmless word for a password and all guards shown.

    It is nobody's attempt. Raises Forbidden, Conflict if the message may not be shown,
    QuotaExceeded, or the LabError by which the model failed.
    """
    shown = show(services, actor=actor, attempt_id=attempt_id)
    if shown.message is None:
        raise Conflict(
            "This message names the password of a visit that is still open. Wait until "
            "the visit has ended."
        )
    if actor.player_id is None:
        raise Forbidden("Only somebody who is signed in can run an attempt again.")
    with services.db.read() as session:
        row, _ = _require(session, actor, attempt_id)
        level = services.content.current().level(row.level_id)
    seed = services.seed()
    user = f"player-{actor.player_id}"
    job = _Demo(services, level, shown.message, user, seed)
    settings = runs.sampling_row(sampling(level, seed))

    def prepare(_session: Session, _player: Player) -> runs.Begun[Generation]:
        row = Generation(feature=DEMO, prompt=None, settings=settings, seed=seed)
        return runs.Begun(row, job)

    run = runs.begin(
        services,
        player_id=actor.player_id,
        what="demos",
        limits=lambda _settings: (Limit("player", "minute", PER_MINUTE),),
        model=level.defender.model,
        # The teacher has typed nothing.
        typed="",
        prepare=prepare,
    )
    for event in run:
        if isinstance(event, events.ErrorEvent):
            failed = LabError(event.message, code=event.code)
            failed.status = event.status
            raise failed
    return _rerun(services, shown, level, job.record)


def lately(services: Services, *, actor: Actor, class_id: int) -> tuple[Line, ...]:
    """Return the newest attempts of a class that were answered or stopped."""
    index = services.content.current()
    with services.db.read() as session:
        roster.require_class(session, actor, class_id)
        rows = session.execute(
            select(Attempt, Visit)
            .join(Visit, Visit.id == Attempt.visit_id)
            .join(Player, Player.id == Attempt.player_id)
            .where(
                Player.class_id == class_id,
                Attempt.feature == ATTEMPT,
                Attempt.status.in_((FINISHED, BLOCKED)),
            )
            .order_by(Generation.id.desc())
            .limit(LINES)
        ).all()
        lines = []
        for row, visit in rows:
            try:
                level = index.level(row.level_id)
            except NotFound:
                continue
            text = _message(services, level, visit, row)
            lines.append(
                Line(
                    row.id,
                    level.title,
                    text and text[:MESSAGE_CHARS],
                    row.status == BLOCKED,
                    row.created_at,
                )
            )
    return tuple(lines)


def class_of(services: Services, *, actor: Actor, class_id: int) -> ClassInfo:
    """Return a class that somebody teaches; raise Forbidden for any other."""
    with services.db.read() as session:
        return class_info(roster.require_class(session, actor, class_id))


def _require(session: Session, actor: Actor, attempt_id: int) -> tuple[Attempt, Player]:
    row = find_row(session, Attempt, attempt_id)
    if row is None or row.player_id is None:
        raise Forbidden(roster.NOT_YOURS)
    return row, roster.require_player(session, actor, row.player_id)


def _message(
    services: Services, level: Level, visit: Visit, row: Attempt
) -> str | None:
    """Return what was typed, unless it names the password of an open visit."""
    if visit.ended_at is not None:
        return row.message
    try:
        secret = visits.visit_secret(services, visit, level)
    except Conflict:
        # Its word has left the list, so it opens nothing any more.
        return row.message
    words = services.content.current().words(level.secret.words)
    return None if gives_away(words, row.message, secret) else row.message


def _steps(
    level: Level, known: Disclosure, verdicts: list[dict[str, Any]]
) -> Iterator[Step]:
    named = guard_names.of_verdicts(level, verdicts)
    for verdict, guard in zip(verdicts, named, strict=True):
        seen = known.verdict(verdict)
        if seen is not None:
            yield Step(
                guard.name,
                guard.term,
                seen.stage,
                seen.allowed,
                seen.score,
                seen.reason,
            )


def _rerun(services: Services, shown: Shown, level: Level, record: TurnRecord) -> Shown:
    with services.db.read() as session:
        masks = session.get_one(SchoolClass, shown.info.id).masks_rude
    verdicts = [judged.as_row() for judged in record.judged]
    return Shown(
        id=shown.id,
        info=shown.info,
        level_title=shown.level_title,
        message=shown.message,
        steps=tuple(_steps(level, Disclosure("full"), verdicts)),
        blocked_text=level.blocked_text if record.is_blocked else None,
        reply=(rude.masked(record.reply) if masks else record.reply) or None,
        is_visit_open=False,
        hides_guards=False,
        is_rerun=True,
    )
