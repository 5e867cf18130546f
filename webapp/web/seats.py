"""Seats for what takes long: fewer than threads, and a share for each address.

Such a request waits for a model, or for its turn to check a password, and holds a
thread meanwhile. Without a seat it is refused at once, before anything is counted, and
all other pages keep their threads.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from flask import Flask, current_app, request

from webapp.domain.generations.events import Event
from webapp.domain.generations.runs import Run
from webapp.errors import Busy, QuotaExceeded
from webapp.networks import network_of
from webapp.web.context import services_of

RETRY_SECONDS: Final = 3
FULL: Final = (
    "The keep is busy: it is doing as much at once as it can. Nothing was counted."
    " Try again in a few seconds."
)
SHARE_USED: Final = (
    "Your network has as much going on at once as one network may have. Nothing was "
    "counted. Try again in a few seconds."
)
_KEY: Final = "wordkeep_seats"

T = TypeVar("T")


class Seats:
    """The seats of this process, and who has them."""

    def __init__(self, *, total: int, share: int) -> None:
        self._total = total
        self._share = share
        self._lock = threading.Lock()  # protects `_taken`
        self._taken: Counter[str] = Counter()

    def take(self, whose: str) -> Callable[[], None]:
        """Return what gives the seat back, once; raise Busy or QuotaExceeded."""
        with self._lock:
            if self._taken.total() >= self._total:
                raise Busy(FULL, retry_after=RETRY_SECONDS)
            if self._taken[whose] >= self._share:
                raise QuotaExceeded(
                    SHARE_USED, scope="network/running", retry_after=RETRY_SECONDS
                )
            self._taken[whose] += 1
        is_given_back = False

        def give_back() -> None:
            nonlocal is_given_back
            with self._lock:
                if not is_given_back:
                    is_given_back = True
                    self._taken[whose] -= 1
                    # Addresses that are gone take no memory.
                    self._taken += Counter()

        return give_back


class Seated(Iterator[Event]):
    """Events whose reader gives a seat back when they end, however they end.

    Closing them stops a run; events that another thread makes go on without a reader.
    """

    def __init__(
        self, events: Run | Generator[Event], give_back: Callable[[], None]
    ) -> None:
        self._events = events
        self._give_back = give_back

    def __next__(self) -> Event:
        try:
            return next(self._events)
        except BaseException:
            self._give_back()
            raise

    def close(self) -> None:
        """Read no further."""
        try:
            self._events.close()
        finally:
            self._give_back()


def init_app(app: Flask) -> None:
    """Set up the seats of this process."""
    settings = services_of(app).settings
    app.extensions[_KEY] = Seats(
        total=settings.seats, share=settings.seats_of_one_address
    )


def seated(begin: Callable[[], Run | Generator[Event]]) -> Seated:
    """Return events that have a seat; raise Busy or QuotaExceeded before they begin."""
    give_back = _take()
    try:
        return Seated(begin(), give_back)
    except BaseException:
        give_back()
        raise


def handed_on(begin: Callable[[Callable[[], None]], T]) -> T:
    """Return what `begin` makes, which gives the seat back by the call it gets.

    Raise Busy or QuotaExceeded before it begins.
    """
    give_back = _take()
    try:
        return begin(give_back)
    except BaseException:
        give_back()
        raise


@contextmanager
def seat() -> Iterator[None]:
    """Have a seat for a while; raise Busy or QuotaExceeded."""
    give_back = _take()
    try:
        yield
    finally:
        give_back()


def _take() -> Callable[[], None]:
    seats: Seats = current_app.extensions[_KEY]
    return seats.take(network_of(request.remote_addr or ""))
