"""Runs that go on while their readers come and go, as those of a page do.

A thread of its own reads the run to its end, so a page that is reloaded in the middle
of a reply finds the rest of it. Only `Feed.stop` ends it earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from threading import Condition, Event, Thread
from typing import Final

from webapp.domain.generations import events
from webapp.domain.generations.replies import BEAT_SECONDS
from webapp.domain.generations.runs import Run

# By process and generation: tests have several processes' worth in one.
_OPEN: Final[dict[tuple[str, int], Feed]] = {}


class Feed:
    """The events of a run so far and to come, for any number of readers."""

    def __init__(self, run: Run, boot_id: str, at_end: Callable[[], None]) -> None:
        self.id = run.id
        self._key = (boot_id, run.id)
        self._run = run
        self._at_end = at_end
        self._told: list[events.Event] = []
        self._news = Condition()  # protects `_told` and `_is_over`
        self._is_over = False
        self._wants_stop = Event()

    def follow(self) -> Generator[events.Event]:
        """Yield all events from the first, waiting for those to come."""
        position = 0
        while True:
            with self._news:
                if position == len(self._told) and not self._is_over:
                    self._news.wait(BEAT_SECONDS)
                fresh, is_over = self._told[position:], self._is_over
            position += len(fresh)
            yield from fresh or (() if is_over else (events.Heartbeat(),))
            if is_over:
                return

    def stop(self) -> None:
        """Let the model stop; readers are told once it is saved."""
        self._wants_stop.set()

    def start(self) -> None:
        """Begin to read the run."""
        _OPEN[self._key] = self
        Thread(target=self._read, name=f"run {self.id}", daemon=True).start()

    def _read(self) -> None:
        try:
            for event in self._run:
                self._tell(event)
                if self._wants_stop.is_set():
                    break
            for event in self._run.stop():
                self._tell(event)
        finally:
            del _OPEN[self._key]
            self._at_end()
            with self._news:
                self._is_over = True
                self._news.notify_all()

    def _tell(self, event: events.Event) -> None:
        if isinstance(event, events.Heartbeat):
            return
        with self._news:
            self._told.append(event)
            self._news.notify_all()


def open_feed(run: Run, boot_id: str, at_end: Callable[[], None]) -> Feed:
    """Read a run of this process to its end, whoever listens; then call `at_end`."""
    feed = Feed(run, boot_id, at_end)
    feed.start()
    return feed


def find(boot_id: str, generation_id: int) -> Feed | None:
    """Return the feed of a run that this process is reading."""
    return _OPEN.get((boot_id, generation_id))
