"""A run: one generation from its record to its end, for any feature.

`begin` writes it down as running, in one transaction with whatever the feature adds,
and returns its events. The end is written in a second transaction, and told after it:
what is not saved has not happened.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import meters
from webapp.domain import quotas
from webapp.domain.generations import events, sweeping
from webapp.domain.generations.replies import Record
from webapp.domain.people import classes, rules
from webapp.domain.people.limits import count_tokens, own_limits, require_tokens
from webapp.domain.people.players import require_player
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import SiteAnswer
from webapp.domain.services import Services
from webapp.domain.texts import storable
from webapp.errors import BackendError, LabError, QuotaExceeded
from webapp.llm import gateway as llm
from webapp.rows import (
    BLOCKED,
    FAILED,
    FINISHED,
    IS_RUNNING,
    PLAYER,
    RUNNING,
    STOPPED,
    Attempt,
    Generation,
    Player,
    SchoolClass,
)
from webapp.settings import Settings
from webapp.text import rude

log = logging.getLogger(__name__)

PLAYER_GONE: Final = (
    "Your player has been deleted, and with it this conversation. Ask your instructor "
    "if that was not meant."
)
BROKEN: Final = (
    "Something went wrong on our side, so this does not count. Please try again."
)
NOT_SAVED: Final = "This could not be saved, so it does not count. Please try again."
ERROR_CHARS: Final = 200

Row = TypeVar("Row", bound=Generation)


class Job(ABC, Generic[Row]):
    """What a feature makes of a run; free of any database session."""

    # What the player is told when the end could not be saved.
    not_saved: ClassVar[str] = NOT_SAVED
    record: Record

    def start(self, generation_id: int) -> events.Start:
        """Return the first event: it is recorded."""
        return events.Start(generation_id)

    @abstractmethod
    def play(self) -> Iterator[events.Event]:
        """Ask the model; yield what the player may see of it, and fill `record`.

        A LabError that it raises is told to the player, and the run has failed.
        """

    @property
    def stopped_status(self) -> str:
        """What it is when it is stopped now.

        A player who stops at the news of a block has still been blocked.
        """
        return BLOCKED if self.record.is_blocked else STOPPED

    def finish(
        self, session: Session, generation_id: int, row: Row | None, status: str
    ) -> Sequence[events.Event]:
        """Add to the row as it ends; return what is told once it is saved.

        `row` has its reply, figures and status already; it is None if the player was
        deleted meanwhile.
        """
        return (events.End(generation_id, status),)


class Begun(NamedTuple, Generic[Row]):
    """A row that is not in the database yet, and the job that will fill it.

    The row has its feature, prompt, settings and seed.
    """

    row: Row
    job: Job[Row]


class Run(Iterator[events.Event]):
    """The events of a generation that is recorded already.

    Closing it before the end is Stop: the model is told to stop and the row is marked
    so. It is a class and not a generator because an unread generator cannot clean up.
    """

    def __init__(
        self,
        services: Services,
        *,
        row_id: int,
        kind: type[Any],
        job: Job[Any],
        answer: SiteAnswer | None = None,
    ) -> None:
        """With `answer` it is the site that answers: `play` of the job is not run."""
        self.id = row_id
        self._answer = answer
        self._services = services
        self._kind = kind
        self._job = job
        self._is_over = False
        self._events = self._run()

    def __next__(self) -> events.Event:
        return next(self._events)

    def close(self) -> None:
        """Stop it if it is still going."""
        self.stop()

    def stop(self) -> Sequence[events.Event]:
        """Stop it if it is still going; return what is told of that."""
        self._events.close()
        if self._is_over:
            return ()
        # Whoever leaves before the answer is read may need it all the more.
        is_answered = self._answer is not None
        told = self._end() if is_answered else self._finish(self._job.stopped_status)
        return self._not_saved() if told is None else told

    def _run(self) -> Generator[events.Event, None, None]:
        yield self._job.start(self.id)
        try:
            if self._answer is None:
                yield from self._job.play()
            # Saved first, shown second: what is not recorded did not happen.
            told = self._end()
            if self._answer is not None:
                # Shown even if it could not be saved.
                yield events.Answer(self._answer.text)
            yield from self._not_saved() if told is None else told
        except BackendError as error:
            yield from self._fail(error)
        except LabError as error:
            log.error("%s failed: %s", self._name, error.code)
            yield from self._fail(error)
        except Exception as error:  # noqa: BLE001 -- border: the answer has begun
            # The type only: the text of an error may quote the reply or the secret.
            log.error("%s failed: %s", self._name, type(error).__name__)
            yield from self._fail(LabError(BROKEN))

    def _not_saved(self) -> Sequence[events.Event]:
        return (events.ErrorEvent("not_saved", self._job.not_saved, 500),)

    @property
    def _name(self) -> str:
        return f"{self._kind.__name__.lower()} {self.id}"

    def _end(self) -> Sequence[events.Event] | None:
        if self._answer is None:
            is_blocked = self._job.record.is_blocked
            return self._finish(BLOCKED if is_blocked else FINISHED)
        self._job.record.reply = self._answer.text
        self._job.record.is_visible = True
        return self._finish(self._answer.status)

    def _fail(self, error: LabError) -> Iterator[events.Event]:
        told = self._finish(FAILED, error.message)
        yield events.ErrorEvent(error.code, error.message, error.status)
        yield from told or ()

    def _finish(
        self, status: str, error: str | None = None
    ) -> Sequence[events.Event] | None:
        """Save the end; return what to tell of it, or None if it was not saved."""
        self._is_over = True
        try:
            return self._save(status, error)
        except Exception as failure:  # noqa: BLE001 -- border: the disk may be full
            log.error("%s was not saved: %s", self._name, type(failure).__name__)
            self._services.boot.unsaved.add((self.id, self._job.not_saved))
            return None

    def _save(self, status: str, error: str | None) -> Sequence[events.Event]:
        with self._services.db.write() as session:
            row = session.get(self._kind, self.id, with_for_update=True)
            if row is not None:
                self._fill(row, status, error)
            told = self._job.finish(session, self.id, row, status)
            if row is None:
                return (events.ErrorEvent("player_gone", PLAYER_GONE, 404), *told)
            count_tokens(session, self._services, row)
        meters.count_generation(
            feature=row.feature,
            level=row.level_id if isinstance(row, Attempt) else None,
            status=status,
            prompt_tokens=row.prompt_tokens,
            reply_tokens=row.reply_tokens,
        )
        return told

    def _fill(self, row: Generation, status: str, error: str | None) -> None:
        record = self._job.record
        row.status = status
        row.error = error and error[:ERROR_CHARS]
        row.finished_at = self._services.now()
        row.ms = round(1000 * (row.finished_at - row.created_at).total_seconds())
        # A guarded reply that was never guarded to its end is shown to nobody.
        if record.is_visible or status in {FINISHED, BLOCKED}:
            row.reply = record.reply or None
        if record.completion is not None:
            row.thoughts = storable(record.completion.thoughts) or None
            row.prompt_tokens = record.completion.prompt_tokens
            row.reply_tokens = record.completion.completion_tokens
            row.first_token_ms = record.completion.first_token_ms


def begin(
    services: Services,
    *,
    player_id: int,
    what: str,
    limits: Callable[[Settings], Sequence[Limit]],
    model: str,
    typed: str,
    prepare: Callable[[Session, Player], Begun[Row]],
    answer: SiteAnswer | None = None,
) -> Run:
    """Record a generation of a player as running, and return its events.

    `prepare` gets the player, whom no other writer can change meanwhile, and returns
    the row and its job; it may look up and write whatever belongs to them, and refuse
    with a LabError. While everybody is to look at the instructor, Conflict (`paused`)
    says so. `limits` count `what`, "attempts" of this minute, say, by the settings and
    what the player's class has of its own. `model` is
    recorded as it is called, whether or not the prompt gets to it. `typed` is what the
    player wrote themselves: where it is rude, those who teach the class see it. With
    `answer` the model is not asked: the site says that instead. Raises NotFound for a
    player who is gone and QuotaExceeded, and then nothing is recorded.
    """
    is_rude = rude.is_in(typed)
    # Before the transaction: an endpoint may have to be asked what it serves.
    label = _label(services, model)
    unsaved = frozenset(services.boot.unsaved)
    with services.db.write() as session:
        sweeping.settle(session, unsaved)
        player = require_player(session, player_id, lock=True)
        # Held: a session looks up again what nobody holds, and six below ask for it.
        _school_class = session.get(SchoolClass, player.class_id)
        # Who needs a person gets an answer at any time.
        if answer is None:
            rules.require_playing(session, player)
        row, job = prepare(session, player)
        _require_room(session, services, player)
        own = own_limits(session, services.settings, player.class_id)
        require_tokens(session, services, player)
        quotas.spend(
            session,
            now=services.now(),
            user=quotas.User(player.id, classes.own_class(session, player)),
            what=what,
            limits=limits(own),
        )
        row.player_id = player_id
        row.model = label
        row.boot_id = services.boot.id
        row.status = RUNNING
        row.is_rude = is_rude and player.role == PLAYER
        row.created_at = services.now()
        session.add(row)
        session.flush()
        run = Run(services, row_id=row.id, kind=type(row), job=job, answer=answer)
    services.boot.unsaved.difference_update(unsaved)
    return run


def _label(services: Services, model: str) -> str:
    try:
        return services.gateway.label(model)
    except LabError:
        # Asking it will fail, and say why.
        return model


def sampling_row(sampling: llm.Sampling) -> dict[str, Any]:
    """Return how a reply is sampled, as it is stored; the seed has its own column."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    }


def _require_room(session: Session, services: Services, player: Player) -> None:
    running = session.scalar(
        select(func.count())
        .select_from(Generation)
        .where(Generation.player_id == player.id, IS_RUNNING)
    )
    if (running or 0) >= services.settings.running_per_player:
        raise QuotaExceeded(
            "Your other message is still being answered. Wait for it or stop it.",
            scope="player/running",
            retry_after=2,
        )
