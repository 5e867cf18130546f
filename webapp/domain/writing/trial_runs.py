"""Trials as they are played: one at a time, in line, and behind all players.

A trial is played in a thread of the process that found it waiting, on the drafts as
they are then. Its row says how far it is, so that any page of any process can tell; a
row whose process is gone is marked interrupted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.db import find_row
from webapp.domain import boots
from webapp.domain.generations.pace import Pace
from webapp.domain.services import Services
from webapp.domain.writing import drafts, plays
from webapp.errors import InvalidInput, LabError, NotFound
from webapp.reading.problems import format_problem
from webapp.rows import IS_RUNNING, Generation, Trial

log = logging.getLogger(__name__)

WAITING, RUNNING, DONE = "waiting", "running", "finished"
FAILED, STOPPED, INTERRUPTED = "failed", "stopped", "interrupted"
OPEN: Final = (WAITING, RUNNING)
STREAMS: Final = 2
# How often it is asked whether players still play, and how long that is respected
# before each play: whole afternoons of play must not stop a trial for good.
LOOK_SECONDS: Final = 1.0
MOST_LOOKS: Final = 30
BROKEN: Final = "Something went wrong on our side. Please try again."
DIED: Final = "The site stopped before this was finished. Start it again."

Wait = Callable[[float], None]


class _Ended(Exception):
    """Somebody has stopped the trial."""


def tend(services: Services) -> None:
    """Mark what dead processes left, and see that somebody plays what waits."""
    with services.db.read() as session:
        states = set(session.scalars(select(Trial.state).where(Trial.state.in_(OPEN))))
    if RUNNING in states:
        with services.db.write() as session:
            _sweep(session, services)
    if WAITING in states:
        set_going(services)


def set_going(services: Services) -> None:
    """Start a thread that plays what waits; it ends at once if another one does."""
    threading.Thread(
        target=_work_alone, args=(services,), name="trials", daemon=True
    ).start()


def work(services: Services, *, wait: Wait = time.sleep) -> None:
    """Play what waits, one trial after the other, until none does."""
    while (claimed := _claim(services)) is not None:
        _play(services, claimed, wait)


def _work_alone(services: Services) -> None:
    try:
        work(services)
    except Exception as error:  # noqa: BLE001 -- border: nobody waits for this thread
        log.error("trials cannot be played: %s", type(error).__name__)


def _claim(services: Services) -> int | None:
    """Make the next trial in line ours, if none is being played; return its id."""
    with services.db.write() as session:
        _sweep(session, services)
        if session.scalar(select(exists().where(Trial.state == RUNNING))):
            return None
        row = session.scalar(
            select(Trial)
            .where(Trial.state == WAITING)
            .order_by(Trial.id)
            .limit(1)
            .with_for_update()
        )
        if row is None:
            return None
        row.state, row.boot_id, row.done = RUNNING, services.boot.id, 0
        row.settings = {**row.settings, "began": services.now().isoformat()}
        return row.id


def _play(services: Services, trial_id: int, wait: Wait) -> None:
    try:
        _keep(services, trial_id, DONE, result=_result(services, trial_id, wait))
    except _Ended:
        return
    except LabError as error:
        _keep(services, trial_id, FAILED, error=error.message)
    except Exception as error:  # noqa: BLE001 -- border: the thread goes on
        # The type only: the text of an error may quote a reply.
        log.error("trial %d failed: %s", trial_id, type(error).__name__)
        _keep(services, trial_id, FAILED, error=BROKEN)


def _result(services: Services, trial_id: int, wait: Wait) -> dict[str, Any]:
    with services.db.read() as session:
        row = require(session, trial_id)
        kind, size = (
            plays.read_kind(row.kind),
            plays.read_size(row.settings["size"]),
        )
        thing = row.thing
    wanted = plays.work(current_index(services), kind=kind, thing=thing, size=size)
    # The text may have changed while the trial waited.
    _change(services, trial_id, total=wanted.plays, digest=wanted.digest)
    pace = Pace(
        STREAMS,
        before=lambda: _give_way(services, trial_id, wait),
        after=lambda: _count(services, trial_id),
    )
    began = services.now()
    result = wanted.play(services.gateway, pace, began)
    seconds = (services.now() - began).total_seconds()
    return {**result, "seconds": seconds}


def _give_way(services: Services, trial_id: int, wait: Wait) -> None:
    """Wait while players play, for a while; raise _Ended if the trial was stopped."""
    for _ in range(MOST_LOOKS):
        with services.db.read() as session:
            state = session.scalar(select(Trial.state).where(Trial.id == trial_id))
            is_played = session.scalar(
                select(select(Generation.id).where(IS_RUNNING).exists())
            )
        if state != RUNNING:
            raise _Ended
        if not is_played:
            return
        wait(LOOK_SECONDS)


def _count(services: Services, trial_id: int) -> None:
    _change(services, trial_id, done=Trial.done + 1)


def _keep(
    services: Services,
    trial_id: int,
    state: str,
    *,
    result: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    now = services.now()
    try:
        _change(
            services,
            trial_id,
            state=state,
            result=result,
            error=error and error[:400],
            finished_at=now,
        )
    except _Ended:
        log.info("trial %d was stopped at its end", trial_id)


def _change(services: Services, trial_id: int, **values: Any) -> None:
    """Change a row that is being played; raise _Ended if it is no longer."""
    with services.db.write() as session:
        changed = session.connection().execute(
            update(Trial)
            .where(Trial.id == trial_id, Trial.state == RUNNING)
            .values(**values)
        )
        if not changed.rowcount:
            raise _Ended


def _sweep(session: Session, services: Services) -> None:
    own = boots.id_prefix(services.settings.instance)
    running = session.scalars(
        select(Trial).where(Trial.state == RUNNING, Trial.boot_id.startswith(own))
    ).all()
    living = boots.living(services.settings.instance) if running else frozenset()
    for row in running:
        if row.boot_id not in living:
            row.state, row.error = INTERRUPTED, DIED
            row.finished_at = services.now()


def current_index(services: Services) -> Index:
    """Return the content with all drafts in it; raise InvalidInput if it is broken."""
    if not drafts.texts(services):
        return services.content.current()
    loaded = drafts.loaded(services)
    if loaded.index is None:
        first = next(problem for problem in loaded.problems if problem.is_error)
        raise InvalidInput(f"The drafts have an error: {format_problem(first)}")
    return loaded.index


def require(session: Session, trial_id: int) -> Trial:
    """Return the row of a trial; raise NotFound."""
    row = find_row(session, Trial, trial_id)
    if row is None:
        raise NotFound("There is no such trial.")
    return row
