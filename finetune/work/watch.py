"""Steers a run from beside it: tells the store that it lives, and hears what is wished.

The run itself looks at its `Control` between two updates and knows of nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Literal, Protocol

from finetune.errors import FinetuneError
from finetune.jobs.job import Job
from finetune.jobs.states import Wish
from finetune.jobs.store import JobStore
from finetune.training.control import Control
from finetune.work.play import Turns

_log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0
# Why a run was ended: the wish of a person, the worker's own end, another worker that
# has the job now, or a depot that does not answer.
Reason = Literal["", "pause", "cancel", "keep", "leaving", "lost", "away"]


class AsksEngine(Protocol):
    """Whoever knows whether players wait."""

    def has_waiting(self) -> bool:
        """Whether requests wait for a slot."""


class Watch:
    """A thread for as long as one job is worked on."""

    def __init__(
        self,
        job: Job,
        control: Control,
        *,
        store: JobStore,
        engine: AsksEngine,
        leaving: threading.Event,
        ignores: Wish = "",
    ) -> None:
        """`ignores` is a wish that is being fulfilled already."""
        self.reason: Reason = ""
        self._job = job
        self._control = control
        self._store = store
        self._engine = engine
        self._leaving = leaving
        self._ignores = ignores
        self._turns = Turns()
        self._over = threading.Event()
        self._charged = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if self.reason != "lost":
            self._try(lambda: self._store.beat(self._job, seconds=self._passed()))

    def _run(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            self._try(self._beat)
            # Also where the store does not answer, or this would never end.
            if self._leaving.is_set():
                self._end("leaving")

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except FinetuneError as error:
            # The run goes on; the next beat tries again.
            _log.warning("%s", error)

    def _beat(self) -> None:
        seconds = self._passed()
        if self._turns.next(others_wait=self._engine.has_waiting(), seconds=seconds):
            self._control.pause()
        else:
            self._control.resume()
        wish, is_ours = self._store.beat(
            self._job, seconds=seconds, is_yielding=self._turns.is_yielding
        )
        if not is_ours:
            self._end("lost")
        elif wish and wish != self._ignores:
            self._end(wish)

    def _end(self, reason: Reason) -> None:
        # The first reason counts: the run is on its way to its end already.
        self.reason = self.reason or reason
        self._control.stop()

    def _passed(self) -> float:
        now = time.monotonic()
        seconds, self._charged = now - self._charged, now
        return seconds
