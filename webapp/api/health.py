"""GET /health: is the site healthy, and if not, what is wrong?

Everybody may read it, so it says what is wrong but never where: no path, address or
key. It answers within about a second, whatever hangs.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from flask import Blueprint, Response, current_app
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy import select

from webapp.api.records import Answer
from webapp.domain.boots import worker_lives
from webapp.domain.services import Services
from webapp.llm.endpoints import UNIX
from webapp.llm.gateway import EndpointHealth
from webapp.rows import Player
from webapp.web.counters import KEY, Counters

log = logging.getLogger(__name__)

CHECK_SECONDS: Final = 1.0
CACHE_SECONDS: Final = 1.0
LEAST_FREE_BYTES: Final = 50_000_000
SLOW: Final = "no answer within a second"

bp = Blueprint("health", __name__)


class Check(Answer):
    """One part of the site."""

    status: Literal["ok", "warning", "failing"]
    detail: str


class Health(Answer):
    """How the site is: `failing` if one of the checks is."""

    status: Literal["ok", "failing"]
    checks: dict[str, Check]


Checks = dict[str, Check]


@bp.record
def _set_up(state: BlueprintSetupState) -> None:
    known = state.app.extensions
    counters: Counters = known[KEY]
    known["wordkeep_health"] = Monitor(known["wordkeep"], counters)


@bp.get("/health")
def health() -> Response:
    """Say how the site is: 200 if it can be played, else 503."""
    monitor: Monitor = current_app.extensions["wordkeep_health"]
    state = monitor.look()
    status = 200 if state.status == "ok" else 503
    response = Response(state.model_dump_json(), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@dataclass(slots=True)
class _Task:
    """One group of checks; it runs in a thread of its own, one at a time."""

    name: str
    run: Callable[[], Checks]
    thread: threading.Thread | None = None
    checks: Checks = field(default_factory=dict)

    def start(self) -> None:
        # One that hangs is not started again, or they would pile up.
        if self.thread is None or not self.thread.is_alive():
            self.thread = threading.Thread(
                target=self._work, name=f"health {self.name}", daemon=True
            )
            self.thread.start()

    def _work(self) -> None:
        try:
            self.checks = self.run()
        except Exception as error:  # noqa: BLE001 -- border: a check must not break it
            log.error("health of %s: %s", self.name, type(error).__name__)
            self.checks = {self.name: Check(status="failing", detail="cannot be used")}

    def result(self, until: float) -> Checks:
        """Return what was found, or that it takes too long."""
        thread = self.thread
        if thread is not None:
            thread.join(max(0.0, until - time.monotonic()))
            if not thread.is_alive():
                return self.checks
        return {self.name: Check(status="failing", detail=SLOW)}


class Monitor:
    """Checks all parts at the same time, at most once a second."""

    def __init__(self, services: Services, counters: Counters) -> None:
        self._services = services
        self._counters = counters
        self._tasks = (
            _Task("database", self._database),
            _Task("content", self._content),
            _Task("endpoints", self._endpoints),
            _Task("disk", self._disk),
            *((_Task("redis", self._redis),) if counters.has_shared() else ()),
            # `up` starts the worker with the sidecar; elsewhere nobody trains.
            *((_Task("worker", self._worker),) if _has_worker(services) else ()),
        )
        # Protects the two below; without an answer yet, all wait for the first one.
        self._lock = threading.Lock()
        self._known: Health | None = None
        self._until = 0.0
        # Replies that waited for their turn when the endpoints were last asked.
        self.waiting = 0

    def look(self) -> Health:
        """Return how everything is now, or was a moment ago."""
        known = self._known
        # While one looks, the others need not wait: not all threads shall hang here.
        if not self._lock.acquire(blocking=known is None):
            return cast(Health, known)
        try:
            if self._known is None or time.monotonic() >= self._until:
                self._known = self._look()
                self._until = time.monotonic() + CACHE_SECONDS
            return self._known
        finally:
            self._lock.release()

    def _look(self) -> Health:
        until = time.monotonic() + CHECK_SECONDS
        for task in self._tasks:
            task.start()
        checks: Checks = {}
        for task in self._tasks:
            checks |= task.result(until)
        is_failing = any(check.status == "failing" for check in checks.values())
        return Health(status="failing" if is_failing else "ok", checks=checks)

    def _database(self) -> Checks:
        with self._services.db.read() as session:
            session.execute(select(Player.id).limit(1))
        return {"database": Check(status="ok", detail="answers")}

    def _disk(self) -> Checks:
        free = shutil.disk_usage(self._services.settings.instance).free
        if free < LEAST_FREE_BYTES:
            return {"disk": Check(status="failing", detail="is nearly full")}
        return {"disk": Check(status="ok", detail="has room")}

    def _redis(self) -> Checks:
        if self._counters.is_away():
            detail = "does not answer: each process counts limits for itself"
            return {"redis": Check(status="warning", detail=detail)}
        return {"redis": Check(status="ok", detail="answers")}

    def _worker(self) -> Checks:
        if worker_lives(self._services.settings.instance):
            return {"worker": Check(status="ok", detail="is ready to train")}
        detail = "does not run: what is to be trained waits"
        return {"worker": Check(status="warning", detail=detail)}

    def _content(self) -> Checks:
        content = self._services.content
        index, problems = content.current(), content.problems()
        levels = sum(len(index.levels(ladder)) for ladder in index.ladders)
        if content.stale:
            errors = sum(problem.is_error for problem in problems)
            detail = (
                f"{errors} {'error' if errors == 1 else 'errors'} in the files: an "
                "earlier version is being played; "
                "instructors see the list on their page"
            )
            return {"content": Check(status="warning", detail=detail)}
        return {"content": Check(status="ok", detail=f"{levels} levels")}

    def _endpoints(self) -> Checks:
        needed = self._needed()
        found = self._services.gateway.health()
        self.waiting = sum(health.waiting for health in found)
        checks = {
            f"endpoint {health.name}": _judge(health, is_needed=health.name in needed)
            for health in found
        }
        if None in needed:
            detail = "a level names a model that no endpoint has"
            checks["models"] = Check(status="failing", detail=detail)
        return checks

    def _needed(self) -> set[str | None]:
        """Return the endpoints whose models levels talk to; None for an unknown one.

        A model that nobody lists is looked for at the endpoints that list nothing.
        """
        index = self._services.content.current()
        places: dict[str, str] = {}
        for info in self._services.gateway.models():
            places[info.name] = info.endpoint
            # A model named without its place is the first one of that name.
            places.setdefault(info.name.partition("/")[2], info.endpoint)
        silent = next(iter(self._services.gateway.unlisted()), None)
        return {
            places.get(level.defender.model, silent)
            for ladder in index.ladders
            for level in index.levels(ladder)
        }


def _has_worker(services: Services) -> bool:
    return services.settings.sidecar_url.startswith(UNIX)


def _judge(health: EndpointHealth, *, is_needed: bool) -> Check:
    """Return the state of an endpoint: one that no level uses stops nobody."""
    if health.ok:
        return Check(status="ok", detail=health.detail)
    return Check(status="failing" if is_needed else "warning", detail=health.detail)
