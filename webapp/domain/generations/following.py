"""What pages do with a run that carries on without them: any feature's."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Final, Protocol, TypeVar

from webapp.domain.generations import events, feeds
from webapp.domain.generations.replies import BEAT_SECONDS
from webapp.domain.generations.runs import Run
from webapp.domain.services import Services
from webapp.errors import Conflict
from webapp.rows import RUNNING

# How long a reader waits for a reply that another process of the site is writing.
PATIENCE_SECONDS: Final = 120.0
ELSEWHERE: Final = (
    "This reply cannot be stopped from here: another process of the site is writing it."
)


class Recorded(Protocol):
    """What is known of a run by its record."""

    @property
    def id(self) -> int:
        """The id of the generation."""

    @property
    def status(self) -> str:
        """How it is."""


R = TypeVar("R", bound=Recorded)


def keep_going(
    services: Services, run: Run, *, at_end: Callable[[], None]
) -> Generator[events.Event]:
    """Let a run go on whoever reads it; return its events.

    `at_end` is called once it is over, however it ends.
    """
    return feeds.open_feed(run, services.boot.id, at_end).follow()


def stop(services: Services, run: Recorded) -> None:
    """Stop a run, unless it is over; raise Conflict if it cannot be done here."""
    feed = feeds.find(services.boot.id, run.id)
    if feed is not None:
        feed.stop()
    elif run.status == RUNNING:
        raise Conflict(ELSEWHERE)


def wait_for_end(look: Callable[[], R]) -> Generator[events.Event, None, R | None]:
    """Beat until a run is over by its record; return it, or None if it takes long."""
    end = time.monotonic() + PATIENCE_SECONDS
    run = look()
    while run.status == RUNNING:
        if time.monotonic() > end:
            return None
        yield events.Heartbeat()
        time.sleep(BEAT_SECONDS)
        run = look()
    return run
