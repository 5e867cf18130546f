"""A clock that can be stopped, and go on where a saved run left it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Counts seconds; breaks do not count."""

    def __init__(
        self, seconds: float = 0.0, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin at `seconds`, and stand still until `start`."""
        self._now = now
        self._before = seconds
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has run so far."""
        running = 0.0 if self._since is None else self._now() - self._since
        return self._before + running

    def start(self) -> None:
        """Run, if it does not already."""
        if self._since is None:
            self._since = self._now()

    def stop(self) -> None:
        """Stand still."""
        self._before, self._since = self.seconds, None

    def move_to(self, seconds: float) -> None:
        """Go on from `seconds`, if it does not show more already."""
        self._before += max(0.0, seconds - self.seconds)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Stand still inside the block; then run on."""
        self.stop()
        try:
            yield
        finally:
            self.start()
