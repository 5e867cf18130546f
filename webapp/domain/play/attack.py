"""An attack: one message of a player to the warden of a level."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.db import insert_missing
from webapp.domain import quotas
from webapp.domain.people.players import require_player
from webapp.domain.play import events, visits
from webapp.domain.play.turn import Judged, TurnRecord, run_turn
from webapp.domain.services import Services
from webapp.domain.texts import clean_message
from webapp.errors import BackendError, Conflict, LabError, QuotaExceeded
from webapp.llm import gateway as llm
from webapp.plugins.asking import Exchange
from webapp.rows import (
    BLOCKED,
    COUNTED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    Generation,
    LevelVersion,
    Player,
    Visit,
)
from webapp.security import Secret

log = logging.getLogger(__name__)

HIDDEN_GUARD = "guard"
BROKEN = "Something went wrong on our side, so this does not count. Please try again."
ERROR_CHARS = 200
NOT_SAVED = "The attempt could not be saved, so it does not count. Please try again."


@dataclass(frozen=True, slots=True)
class _Begun:
    """All that the rest of an attempt needs, free of any database session."""

    generation_id: int
    player_id: int
    visit_id: int
    level: Level
    secret: Secret
    history: tuple[Exchange, ...]
    message: str
    seed: int


class AttemptRun(Iterator[events.Event]):
    """The events of an attempt that is recorded already.

    Closing it before the end is Stop: the model is told to stop and the row is marked
    so. It is a class and not a generator because an unread generator cannot clean up.
    """

    def __init__(self, services: Services, begun: _Begun) -> None:
        self.id = begun.generation_id
        self._services = services
        self._begun = begun
        self._record = TurnRecord()
        self._is_over = False
        self._events = self._run()

    def __next__(self) -> events.Event:
        return next(self._events)

    def close(self) -> None:
        """Stop the attempt if it is still going."""
        self._events.close()
        if not self._is_over:
            # Who stops at the news of a block has been blocked all the same.
            is_blocked = self._record.blocked_by is not None
            self._finish(BLOCKED if is_blocked else STOPPED, None)

    def _run(self) -> Generator[events.Event, None, None]:
        yield events.Start(self.id)
        try:
            yield from self._play()
        except BackendError as error:
            yield from self._fail(error)
        except LabError as error:
            log.error("attempt %s failed: %s", self.id, error.code)
            yield from self._fail(error)
        except Exception as error:  # noqa: BLE001 -- border: the answer has begun
            # The type only: the text of an error may quote the reply or the secret.
            log.error("attempt %s failed: %s", self.id, type(error).__name__)
            yield from self._fail(LabError(BROKEN))

    def _play(self) -> Iterator[events.Event]:
        begun, level = self._begun, self._begun.level
        for happened in run_turn(
            level,
            secret=begun.secret,
            history=begun.history,
            message=begun.message,
            gateway=self._services.gateway,
            user=f"player-{begun.player_id}",
            seed=begun.seed,
            record=self._record,
        ):
            event = _event(level, happened)
            if event is not None:
                yield event
        is_blocked = self._record.blocked_by is not None
        # Saved first, shown second: an attempt that is not recorded did not happen.
        end = self._finish(BLOCKED if is_blocked else FINISHED, None)
        if isinstance(end, events.End):
            yield _reply(level, self._record)
        yield end

    def _fail(self, error: LabError) -> Iterator[events.Event]:
        end = self._finish(FAILED, error.message)
        yield events.ErrorEvent(error.code, error.message, error.status)
        if isinstance(end, events.End):
            yield end

    def _finish(self, status: str, error: str | None) -> events.Event:
        self._is_over = True
        try:
            return _save(self._services, self._begun, self._record, status, error)
        except Exception as failure:  # noqa: BLE001 -- border: the disk may be full
            log.error("attempt %s was not saved: %s", self.id, type(failure).__name__)
            self._services.boot.unsaved.add(self.id)
            return events.ErrorEvent("not_saved", NOT_SAVED, 500)


def attack(
    services: Services, *, player_id: int, level_id: str, message: str
) -> AttemptRun:
    """Record an attempt and return its events.

    Raises InvalidInput, NotFound, Forbidden (`locked`), Conflict or QuotaExceeded
    before anything is recorded.
    """
    index = services.content.current()
    level = index.level(level_id)
    text = clean_message(
        message,
        limit=min(level.defender.message_chars, services.settings.message_chars),
    )
    unsaved = frozenset(services.boot.unsaved)
    with services.db.write() as session:
        _settle(session, unsaved)
        player = require_player(session, player_id, lock=True)
        visits.require_open(session, index=index, player_id=player_id, level=level)
        visit = visits.current_visit(session, services, player=player, level=level)
        history = _history(session, level, visit)
        _spend_quota(session, services, player)
        _keep_version(session, services, level, index.level_hash(level_id))
        row = Generation(
            caller="attempt",
            player_id=player_id,
            visit_id=visit.id,
            level_id=level_id,
            content_hash=index.level_hash(level_id),
            boot_id=services.boot.id,
            status=RUNNING,
            message=text,
            verdicts=[],
            model=level.defender.model,
            seed=services.seed(),
            created_at=services.now(),
        )
        session.add(row)
        session.flush()
        secret = visits.visit_secret(services, visit, level)
        begun = _Begun(
            row.id, player_id, visit.id, level, secret, history, text, row.seed
        )
    services.boot.unsaved.difference_update(unsaved)
    return AttemptRun(services, begun)


def _settle(session: Session, unsaved: frozenset[int]) -> None:
    """Mark attempts that ended when nothing could be saved."""
    if unsaved:
        session.execute(
            update(Generation)
            .where(Generation.id.in_(unsaved), Generation.status == RUNNING)
            .values(status=INTERRUPTED, error=NOT_SAVED)
        )


def _history(session: Session, level: Level, visit: Visit) -> tuple[Exchange, ...]:
    """Return the earlier exchanges that the model is shown.

    Raises Conflict when the turns are up, or while a message is being answered that
    this one would build on, or that may use up what is left of the suspicion budget.
    """
    running = _count(session, visit, (RUNNING,))
    left = suspicion_left(level, visit)
    if left is not None and 0 < left <= running:
        raise _wait_for_other()
    if level.defender.turns == 1:
        return ()
    # Neither the model nor a guard over the visit would see the other message.
    if running:
        raise _wait_for_other()
    rows = session.scalars(
        select(Generation)
        .where(Generation.visit_id == visit.id, Generation.status.in_(COUNTED))
        .order_by(Generation.id)
    ).all()
    if len(rows) >= level.defender.turns:
        raise Conflict(
            f"This conversation has had its {level.defender.turns} turns. Start "
            "over to get a new one; the warden will guard a new password.",
            code="turns_used",
        )
    return tuple(
        Exchange(row.message, row.reply or "") for row in rows if row.status == FINISHED
    )


def _wait_for_other() -> Conflict:
    return Conflict(
        "Another message of this conversation is still being answered. Wait for it.",
        code="still_running",
    )


def _spend_quota(session: Session, services: Services, player: Player) -> None:
    settings, now = services.settings, services.now()
    running = session.scalar(
        select(func.count())
        .select_from(Generation)
        .where(Generation.player_id == player.id, Generation.status == RUNNING)
    )
    if (running or 0) >= settings.running_per_player:
        raise QuotaExceeded(
            "Another message of yours is still being answered. Wait for it or stop it.",
            scope="player/running",
            retry_after=2,
        )
    for scope, scope_id, period, limit in (
        ("player", player.id, "minute", settings.attempts_per_minute),
        ("player", player.id, "day", settings.attempts_per_day),
        ("class", player.class_id, "day", settings.class_attempts_per_day),
    ):
        quotas.spend(
            session,
            now=now,
            what="attempts",
            scope=scope,
            scope_id=scope_id,
            period=period,
            limit=limit,
        )


def _keep_version(
    session: Session, services: Services, level: Level, content_hash: str
) -> None:
    if session.get(LevelVersion, content_hash) is None:
        insert_missing(
            session,
            LevelVersion,
            hash=content_hash,
            level_id=level.id,
            body=level.model_dump(mode="json"),
            first_seen_at=services.now(),
        )


def _event(
    level: Level, happened: Judged | llm.Queued | llm.Heartbeat | llm.Delta
) -> events.Event | None:
    """Translate what happened into what this level lets the player see."""
    if isinstance(happened, Judged):
        return guard_event(level, happened)
    if isinstance(happened, llm.Queued):
        return events.Queue(happened.position)
    if isinstance(happened, llm.Delta):
        return events.Delta(happened.text)
    return events.Heartbeat()


def guard_event(level: Level, judged: Judged) -> events.GuardEvent | None:
    """Return a verdict cut down to what `show_guards` allows before the win."""
    if level.show_guards == "none":
        return None
    is_full = level.show_guards == "full"
    return events.GuardEvent(
        guard=judged.guard,
        stage=judged.stage,
        allowed=judged.verdict.allowed,
        score=judged.verdict.score if is_full else None,
        ms=judged.ms if is_full else None,
        reason=judged.verdict.reason if is_full else None,
    )


def _reply(level: Level, record: TurnRecord) -> events.Reply:
    if record.blocked_by is None:
        return events.Reply(record.reply, None, None)
    named = HIDDEN_GUARD if level.show_guards == "none" else record.blocked_by
    return events.Reply(None, named, level.blocked_text)


def _save(
    services: Services,
    begun: _Begun,
    record: TurnRecord,
    status: str,
    error: str | None,
) -> events.End:
    with services.db.write() as session:
        visit = session.get(Visit, begun.visit_id, with_for_update=True)
        row = session.get(Generation, begun.generation_id)
        if row is None or visit is None:
            # The player deleted the account while the reply was being written.
            return events.End(begun.generation_id, status, None, None, None)
        _fill(services, row, record, status, error)
        notice = _count_block(services, begun.level, visit, status)
        session.flush()
        return events.End(
            begun.generation_id,
            status,
            turns_left(session, begun.level, visit),
            suspicion_left(begun.level, visit),
            notice,
        )


def _fill(
    services: Services,
    row: Generation,
    record: TurnRecord,
    status: str,
    error: str | None,
) -> None:
    row.status = status
    row.verdicts = [judged.as_row() for judged in record.judged]
    row.blocked_by = record.blocked_by
    row.error = error and error[:ERROR_CHARS]
    row.finished_at = services.now()
    row.ms = round(1000 * (row.finished_at - row.created_at).total_seconds())
    # A guarded reply that was never guarded to its end is shown to nobody.
    if record.is_visible or status in {FINISHED, BLOCKED}:
        row.reply = record.reply or None
    if record.completion is not None:
        row.model = record.completion.model
        row.prompt_tokens = record.completion.prompt_tokens
        row.reply_tokens = record.completion.completion_tokens
        row.first_token_ms = record.completion.first_token_ms


def _count_block(
    services: Services, level: Level, visit: Visit, status: str
) -> str | None:
    if status != BLOCKED:
        return None
    visit.blocks += 1
    if suspicion_left(level, visit) != 0 or visit.ended_at is not None:
        return None
    visits.end_visit(services, visit, "suspicion")
    return visits.END_NOTICES["suspicion"]


def turns_left(session: Session, level: Level, visit: Visit | None) -> int | None:
    """Return how many more messages fit; None where each one stands alone."""
    if level.defender.turns == 1:
        return None
    used = 0 if visit is None else _count(session, visit, COUNTED)
    return max(0, level.defender.turns - used)


def _count(session: Session, visit: Visit, statuses: tuple[str, ...]) -> int:
    query = (
        select(func.count())
        .select_from(Generation)
        .where(Generation.visit_id == visit.id, Generation.status.in_(statuses))
    )
    return session.scalar(query) or 0


def suspicion_left(level: Level, visit: Visit | None) -> int | None:
    """Return how many more blocks the visit survives; None without a budget."""
    if level.suspicion is None:
        return None
    return max(0, level.suspicion - (visit.blocks if visit else 0))
