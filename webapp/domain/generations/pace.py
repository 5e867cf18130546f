"""How fast many plays are asked of the models, one after the other or side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final, TypeVar

STREAMS: Final = 8

T = TypeVar("T")
J = TypeVar("J")


def _at_once() -> None:
    """Let a play begin without waiting."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many plays go on at a time, and what comes around each of them.

    `before` may wait, and may raise to end everything; so may `after`.
    """

    streams: int = STREAMS
    before: Callable[[], None] = _at_once
    after: Callable[[], None] = _at_once

    def each(self, play: Callable[[J], T], jobs: Iterable[J]) -> Iterator[tuple[J, T]]:
        """Yield each job with what came of it, as it is done.

        If one fails, those that have not begun do not begin.
        """

        def paced(job: J) -> T:
            self.before()
            result = play(job)
            self.after()
            return result

        pool = ThreadPoolExecutor(self.streams)
        try:
            futures = {pool.submit(paced, job): job for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            # On an error or Ctrl-C as well.
            pool.shutdown(cancel_futures=True)

    def all(self, play: Callable[[J], T], jobs: Iterable[J]) -> list[T]:
        """Return what came of all jobs, in their order."""
        numbered = list(enumerate(jobs))
        done = {at: result for (at, _), result in self._numbered(play, numbered)}
        return [done[at] for at, _ in numbered]

    def _numbered(
        self, play: Callable[[J], T], jobs: list[tuple[int, J]]
    ) -> Iterator[tuple[tuple[int, J], T]]:
        return self.each(lambda numbered: play(numbered[1]), jobs)


FULL_PACE: Final = Pace()
