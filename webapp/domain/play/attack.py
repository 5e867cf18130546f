"""An attack: one message of a player to the warden of a level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.db import insert_missing
from webapp.domain.generations import runs
from webapp.domain.play import (
    conversation,
    disclosure,
    events,
    guard_names,
    room,
    standing,
    visits,
)
from webapp.domain.play.turn import Judged, TurnRecord, run_turn, sampling
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import answer_to
from webapp.domain.services import Services
from webapp.domain.texts import clean_message
from webapp.plugins.asking import Exchange
from webapp.rows import (
    ATTEMPT,
    BLOCKED,
    FINISHED,
    STOPPED,
    Attempt,
    LevelVersion,
    Player,
    Visit,
)
from webapp.security import Secret
from webapp.settings import Settings


@dataclass(slots=True)
class _Attack(runs.Job[Attempt]):
    """A message on its way through guards and model, and what it does to its visit."""

    not_saved: ClassVar[str] = (
        "The attempt could not be saved, so it does not count. Please try again."
    )
    services: Services
    player_id: int
    visit_id: int
    level: Level
    secret: Secret
    history: tuple[Exchange, ...]
    message: str
    seed: int
    record: TurnRecord = field(default_factory=TurnRecord)

    def start(self, generation_id: int) -> events.Start:
        """Return the first event, which names the visit."""
        return events.Start(generation_id, self.visit_id)

    def play(self) -> Iterator[events.Event]:
        """Play the turn; yield of it what the level lets the player see."""
        happening = run_turn(
            self.level,
            secret=self.secret,
            history=self.history,
            message=self.message,
            gateway=self.services.gateway,
            user=f"player-{self.player_id}",
            seed=self.seed,
            record=self.record,
            salt=f"visit-{self.visit_id}",
        )
        for happened in happening:
            if not isinstance(happened, Judged):
                yield happened
            elif (event := self._guard_event()) is not None:
                yield event

    @property
    def stopped_status(self) -> str:
        """A block that nothing has told of yet is not told by a Stop either."""
        if not disclosure.of_stream(self.level).names_guards:
            return STOPPED
        return super(_Attack, self).stopped_status

    def finish(
        self, session: Session, generation_id: int, row: Attempt | None, status: str
    ) -> Sequence[events.Event]:
        """Keep verdicts and block; return the reply, if there is one, and the end."""
        visit = session.get(Visit, self.visit_id, with_for_update=True)
        if row is None or visit is None:
            # The player deleted the account while the reply was being written.
            end = events.End(generation_id, status, None, None, None)
        else:
            row.verdicts = [judged.as_row() for judged in self.record.judged]
            # Nothing else says that a guard had stopped what was stopped or failed.
            row.blocked_by = self.record.blocked_by if status == BLOCKED else None
            notice = _count_block(self.services, self.level, visit, status)
            standing.note_attempt(session, visit, row)
            session.flush()
            end = events.End(
                generation_id,
                status,
                conversation.visit_turns_left(session, self.level, visit),
                conversation.suspicion_left(self.level, visit.blocks),
                notice,
            )
        return (self._reply(), end) if status in {FINISHED, BLOCKED} else (end,)

    def _guard_event(self) -> events.GuardEvent | None:
        """Return what is told of the last verdict."""
        rows = [judged.as_row() for judged in self.record.judged]
        shown = disclosure.of_stream(self.level).verdict(rows[-1])
        if shown is None:
            return None
        *_, guard = guard_names.of_verdicts(self.level, rows)
        return events.GuardEvent(
            guard=shown.guard,
            guard_name=guard.name,
            guard_term=guard.term,
            stage=shown.stage,
            allowed=shown.allowed,
            score=shown.score,
            ms=shown.ms,
            reason=shown.reason,
        )

    def _reply(self) -> events.ShownReply:
        if self.record.blocked_by is None:
            return events.ShownReply(self.record.reply, None, None)
        named = disclosure.of_stream(self.level).blocked_by(self.record.blocked_by)
        return events.ShownReply(None, named, self.level.blocked_text)


def attack(
    services: Services,
    *,
    player_id: int,
    level_id: str,
    message: str,
    visit: int | None = None,
) -> runs.Run:
    """Record an attempt and return its events.

    What needs a person is answered by the site, and does not count. `visit` is the one
    that is meant: if it is over, VisitEnded says why. Raises InvalidInput, NotFound,
    Forbidden (`locked`), Conflict or QuotaExceeded, too, or BackendTooLong if no
    message has room at this level, before anything is recorded.
    """
    index = services.content.current()
    level = index.level(level_id)
    text = require_message(services, level_id=level_id, message=message)
    answer = answer_to(text, index.help_texts)

    def prepare(session: Session, player: Player) -> runs.Begun[Attempt]:
        visits.require_meant(session, services, player=player, level=level, named=visit)
        visits.require_open(
            session,
            services,
            index=index,
            player_id=player_id,
            level=level,
            needs_person=answer is not None,
        )
        row = visits.current_visit(session, services, player=player, level=level)
        if answer is None:
            conversation.require_next(session, level, row)
        _keep_version(session, services, level, index.level_hash(level_id))
        seed = services.seed()
        job = _Attack(
            services=services,
            player_id=player_id,
            visit_id=row.id,
            level=level,
            secret=visits.visit_secret(services, row, level),
            history=conversation.visit_history(
                session, visit_id=row.id, turns=level.defender.turns
            ),
            message=text,
            seed=seed,
        )
        attempt = Attempt(
            feature=ATTEMPT,
            settings=runs.sampling_row(sampling(level, seed)),
            seed=seed,
            visit_id=row.id,
            level_id=level_id,
            content_hash=index.level_hash(level_id),
            message=text,
            verdicts=[],
        )
        return runs.Begun(attempt, job)

    with visits.ends_told(services, player_id=player_id, level=level):
        return runs.begin(
            services,
            player_id=player_id,
            what="attempts",
            limits=_limits,
            model=level.defender.model,
            typed=text,
            prepare=prepare,
            answer=answer,
        )


def require_message(services: Services, *, level_id: str, message: str) -> str:
    """Return the message as a level takes it.

    Raises InvalidInput or NotFound, and BackendTooLong if no message has room.
    """
    level = services.content.current().level(level_id)
    text = clean_message(message, limit=room.most_chars(level, services.settings))
    room.check_message(level, services.gateway, text)
    return text


def _limits(settings: Settings) -> tuple[Limit, ...]:
    return (
        Limit("player", "minute", settings.attempts_per_minute),
        Limit("player", "day", settings.attempts_per_day),
        Limit("share", "hour", settings.class_attempts_per_player),
        Limit("class", "hour", settings.class_attempts_per_hour),
    )


def _keep_version(
    session: Session, services: Services, level: Level, content_hash: str
) -> None:
    known = select(LevelVersion.hash).where(LevelVersion.hash == content_hash)
    if session.scalar(known) is None:
        insert_missing(
            session,
            LevelVersion,
            hash=content_hash,
            level_id=level.id,
            body=level.model_dump(mode="json"),
            first_seen_at=services.now(),
        )


def _count_block(
    services: Services, level: Level, visit: Visit, status: str
) -> str | None:
    """Count a block against the visit; return what is told if it ends with it."""
    if status != BLOCKED:
        return None
    visit.blocks += 1
    is_over = conversation.suspicion_left(level, visit.blocks) == 0
    if not is_over or visit.ended_at is not None:
        return None
    visits.end_visit(services, visit, "suspicion")
    return visits.END_NOTICES["suspicion"]
