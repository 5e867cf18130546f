"""A matrix while it is asked: in a thread of its own, whoever reads its page.

Its row says how far it is, so that any page of any process can tell. A matrix whose
process is gone can go on from where it was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.domain.lab import matrix_asking, matrix_checks
from webapp.domain.lab.matrices import (
    DONE,
    PAUSED,
    RUNNING,
    cells_of,
    is_alive,
    missing,
    require,
)
from webapp.domain.lab.matrix_asking import Heard, Wish
from webapp.domain.lab.matrix_plan import Call, Plan
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.errors import Busy, Conflict, LabError
from webapp.plugins.check import Sample
from webapp.rows import LabCell, LabMatrix

log = logging.getLogger(__name__)

# Longer than that nobody waits for a limit: it is paused, and says when to go on.
PATIENCE_SECONDS: Final = 60
# So many errors one after the other, and the rest would fail as well.
MOST_ERRORS: Final = 3
MOST_GOING: Final = 50
BROKEN: Final = "Something went wrong on our side. What is there is kept: go on."

Wait = Callable[[float], object]
# What tells a thread of this process to stop; tests have several processes in one.
_STOPS: Final[dict[tuple[str, int], threading.Event]] = {}


class _Ended(Exception):
    """It was stopped or deleted."""


def start(services: Services, *, player_id: int, matrix_id: int) -> None:
    """Begin, or go on: what failed is asked again.

    Raises Conflict if it is done or another one of the player is going, and Busy if
    too many are.
    """
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        row = require(session, player_id, matrix_id, lock=True)
        if row.state == DONE and not _forget_errors(session, row):
            raise Conflict("This experiment is finished. Begin a new one.")
        _require_free(session, services, player_id)
        _forget_errors(session, row)
        row.state, row.boot_id, row.note = RUNNING, services.boot.id, ""
    _STOPS[services.boot.id, matrix_id] = threading.Event()
    set_going(services, player_id, matrix_id)


def stop(services: Services, *, player_id: int, matrix_id: int) -> None:
    """Stop asking; what is there is kept. Nothing happens if it is not going."""
    with services.db.write() as session:
        row = require(session, player_id, matrix_id, lock=True)
        if row.state == RUNNING:
            row.state, row.note = PAUSED, ""
    event = _STOPS.get((services.boot.id, matrix_id))
    if event is not None:
        event.set()


def set_going(services: Services, player_id: int, matrix_id: int) -> None:
    """Start the thread that asks."""
    threading.Thread(
        target=work,
        args=(services, player_id, matrix_id),
        name=f"matrix {matrix_id}",
        daemon=True,
    ).start()


def work(
    services: Services, player_id: int, matrix_id: int, *, wait: Wait | None = None
) -> None:
    """Ask all that is missing; its row says how it ends."""
    key = (services.boot.id, matrix_id)
    event = _STOPS.setdefault(key, threading.Event())
    try:
        _Work(services, player_id, matrix_id, event, wait or event.wait).run()
    except _Ended:
        log.info("matrix %d was stopped", matrix_id)
    except LabError as error:
        _pause(services, matrix_id, error.message)
    except Exception as error:  # noqa: BLE001 -- border: nobody waits for this thread
        # The type only: the text of an error may quote a prompt.
        log.error("matrix %d failed: %s", matrix_id, type(error).__name__)
        _pause(services, matrix_id, BROKEN)
    finally:
        if _STOPS.get(key) is event:
            del _STOPS[key]


class _Work:
    """One stretch of asking, from a start to a stop or the end."""

    def __init__(
        self,
        services: Services,
        player_id: int,
        matrix_id: int,
        event: threading.Event,
        wait: Wait,
    ) -> None:
        self._services = services
        self._player_id = player_id
        self._id = matrix_id
        self._event = event
        self._wait = wait
        user = f"player-{player_id}"
        self._ask = matrix_checks.LabAsk(services.gateway, user)

    def run(self) -> None:
        """Ask call by call; raise _Ended, or a LabError that says why it cannot go on.

        The row is finished in the same transaction as its last reply.
        """
        with self._services.db.read() as session:
            row = require(session, self._player_id, self._id)
            plan = Plan.of_row(row.setup)
            calls = missing(plan, cells_of(session, self._id))
        failed = 0
        for call in calls:
            heard = self._patiently(plan, call)
            if heard.is_stopped:
                raise _Ended
            self._keep(plan, call, heard)
            failed = failed + 1 if heard.error else 0
            if failed == MOST_ERRORS:
                _pause(self._services, self._id, heard.error)
                return
        _change(self._services, self._id, state=DONE, note="")

    def _patiently(self, plan: Plan, call: Call) -> Heard:
        """Ask; where a limit or a busy model says to come back soon, do."""
        _, model, heat = plan.of_cell(call.cell)
        wish = Wish(
            prompt=plan.text(call),
            temperature=plan.temperatures[heat],
            tokens=plan.tokens,
            seed=plan.seed_of(call),
        )
        while True:
            if self._event.is_set():
                raise _Ended
            try:
                return matrix_asking.ask(
                    self._services,
                    player_id=self._player_id,
                    model=plan.models[model],
                    wish=wish,
                    wants_stop=self._event.is_set,
                )
            except LabError as error:
                if error.retry_after is None or error.retry_after > PATIENCE_SECONDS:
                    raise
                self._wait(error.retry_after)

    def _keep(self, plan: Plan, call: Call, heard: Heard) -> None:
        _, model, _ = plan.of_cell(call.cell)
        status, message = "ungraded", ""
        if not heard.error and not heard.is_site:
            outcome = matrix_checks.judge(
                plan.check,
                plan.options,
                plan.items[call.item].values,
                sample=Sample(heard.text, finish=heard.finish),
                model=plan.models[model].name,
                request=plan.text(call),
                ask=self._ask,
            )
            status, message = outcome.status, outcome.message
        reply = {
            "item": call.item,
            "sample": call.sample,
            "text": heard.text,
            "status": status,
            "message": message,
            "seed": plan.seed_of(call),
            "ms": heard.ms,
            "tokens": heard.tokens,
            "error": heard.error,
            "is_site": heard.is_site,
        }
        with self._services.db.write() as session:
            _change_row(session, self._id, done=LabMatrix.done + 1)
            cell = session.scalars(
                select(LabCell).where(
                    LabCell.matrix_id == self._id, LabCell.place == call.cell
                )
            ).one()
            if any(_is_same(reply, other) for other in cell.replies):
                # It was stopped and begun again, and somebody else goes on.
                raise _Ended
            cell.replies = [*cell.replies, reply]


def _is_same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return all(one[key] == other[key] for key in ("item", "sample"))


def _require_free(session: Session, services: Services, player_id: int) -> None:
    going = session.scalars(
        select(LabMatrix).where(
            LabMatrix.player_id == player_id, LabMatrix.state == RUNNING
        )
    )
    if any(is_alive(services, row) for row in going):
        raise Conflict(
            "One of your experiments is still going. Wait for it, or stop it first."
        )
    count = session.scalar(
        select(func.count())
        .select_from(LabMatrix)
        .where(LabMatrix.state == RUNNING, LabMatrix.boot_id == services.boot.id)
    )
    if (count or 0) >= MOST_GOING:
        raise Busy(
            "Many experiments are going just now. Try again in a minute.",
            retry_after=60,
        )


def _forget_errors(session: Session, row: LabMatrix) -> bool:
    """Drop the replies that failed, so that they are asked again; say if any did."""
    found = False
    for cell in cells_of(session, row.id):
        good = [reply for reply in cell.replies if not reply["error"]]
        if len(good) < len(cell.replies):
            row.done -= len(cell.replies) - len(good)
            cell.replies = good
            found = True
    return found


def _pause(services: Services, matrix_id: int, note: str) -> None:
    try:
        _change(services, matrix_id, state=PAUSED, note=note[:400])
    except _Ended:
        log.info("matrix %d was stopped as it failed", matrix_id)


def _change(services: Services, matrix_id: int, **values: object) -> None:
    with services.db.write() as session:
        _change_row(session, matrix_id, **values)


def _change_row(session: Session, matrix_id: int, **values: object) -> None:
    """Change a row that is being asked; raise _Ended if it is not any more."""
    changed = session.connection().execute(
        update(LabMatrix)
        .where(LabMatrix.id == matrix_id, LabMatrix.state == RUNNING)
        .values(**values)
    )
    if not changed.rowcount:
        raise _Ended
