"""Counters behind the limits: in Redis if there is one, and in memory while it is away.

Each process counts for itself meanwhile, so limits are looser, but nobody is shut out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, current_app
from limits import RateLimitItem, WindowStats
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from webapp.settings import Settings
from webapp.web.context import services_of

log = logging.getLogger(__name__)

# How long a call may wait for Redis, and how long it is left alone after that.
REDIS_SECONDS: Final = 0.5
AWAY_SECONDS: Final = 5.0
KEY: Final = "wordkeep_counters"

T = TypeVar("T")


class Counters:
    """How often something happened in the current period, for all processes."""

    def __init__(self, redis_url: str) -> None:
        self._memory = FixedWindowRateLimiter(MemoryStorage())
        self._shared = _shared(redis_url) if redis_url else None
        self._lock = threading.Lock()  # protects `_away_until`
        self._away_until = 0.0

    def hit(self, item: RateLimitItem, *key: str, cost: int = 1) -> bool:
        """Count one more; return whether it is within the limit."""
        return self._ask(lambda kept: kept.hit(item, *key, cost=cost))

    def window(self, item: RateLimitItem, *key: str) -> WindowStats:
        """Return how much is left, and when the period ends."""
        return self._ask(lambda kept: kept.get_window_stats(item, *key))

    def has_shared(self) -> bool:
        """Tell whether there is a Redis to count in."""
        return self._shared is not None

    def is_away(self) -> bool:
        """Ask Redis; tell whether it does not answer."""
        if self._shared is None:
            return False
        try:
            is_there = self._shared.storage.check()
        except self._errors():
            is_there = False
        if is_there:
            with self._lock:
                self._away_until = 0.0
        return not is_there

    def _ask(self, count: Callable[[FixedWindowRateLimiter], T]) -> T:
        with self._lock:
            is_left_alone = time.monotonic() < self._away_until
        if self._shared is None or is_left_alone:
            return count(self._memory)
        try:
            return count(self._shared)
        except self._errors() as error:
            # The type only: the text of an error may quote the address of Redis.
            log.warning("redis: %s; limits are counted here", type(error).__name__)
            with self._lock:
                self._away_until = time.monotonic() + AWAY_SECONDS
            return count(self._memory)

    def _errors(self) -> tuple[type[Exception], ...]:
        assert self._shared is not None  # noqa: S101 -- only then there are errors
        errors = self._shared.storage.base_exceptions
        kinds = errors if isinstance(errors, tuple) else (errors,)
        return (*kinds, OSError)


def init_app(app: Flask) -> None:
    """Set up the counters of this process."""
    settings: Settings = services_of(app).settings
    app.extensions[KEY] = Counters(settings.redis_url)


def counters_of(app: Flask) -> Counters:
    """Return the counters of an app."""
    counters: Counters = app.extensions[KEY]
    return counters


def counters() -> Counters:
    """Return the counters of the current app."""
    return counters_of(current_app)


def _shared(redis_url: str) -> FixedWindowRateLimiter:
    options: Any = {
        "socket_timeout": REDIS_SECONDS,
        "socket_connect_timeout": REDIS_SECONDS,
    }
    return FixedWindowRateLimiter(storage_from_string(redis_url, **options))
