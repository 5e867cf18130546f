"""What wakes the workers: Huey, on a file of the instance or on a Redis server.

A message says only "there is something to do". Which job is next is decided in the
`JobStore` by the worker that takes it, so a message that is lost or told twice changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from finetune.jobs.errors import CannotKeep
from finetune.settings import Settings


class Queue:
    """The way from those who make jobs to those who do them."""

    def __init__(
        self, settings: Settings, *, work: Callable[[], None] | None = None
    ) -> None:
        """`work` is what a worker does when it is woken; others only wake."""
        self._settings = settings
        self._work = work

    @cached_property
    def huey(self) -> Any:
        """The queue itself; opened on first use."""
        from finetune.jobs.messages import open_huey  # noqa: PLC0415 -- slow import

        return open_huey(self._settings)

    @cached_property
    def _task(self) -> Any:
        def do_what_is_next() -> None:
            if self._work is not None:
                self._work()

        return self.huey.task(name="do_what_is_next")(do_what_is_next)

    def consumer(self, *, poll_seconds: float) -> Any:
        """Return Huey's consumer: one thread that does the work when it is woken."""
        assert self._task is not None  # noqa: S101 -- it must be known before
        return self.huey.create_consumer(
            workers=1, periodic=False, max_delay=poll_seconds
        )

    def wake(self) -> None:
        """Wake a worker; raise CannotKeep if the queue does not answer."""
        try:
            self._task()
        except Exception as error:
            raise CannotKeep(
                "The queue of the trainings does not answer. Try again in a minute."
            ) from error

    def is_empty(self) -> bool:
        """Whether no message waits; raise CannotKeep if the queue does not answer."""
        try:
            return int(self.huey.pending_count()) == 0
        except Exception as error:
            raise CannotKeep("The queue of the trainings does not answer.") from error
