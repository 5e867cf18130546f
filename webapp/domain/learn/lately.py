"""What endpoints said lately, asked in the background: no page waits for a model."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from webapp.llm.pump import within

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# A question that was not answered by then is given up, and asked again later.
LONGEST_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Heard(Generic[V]):
    """The last answer, none at first, and the question that is on its way."""

    answer: tuple[V] | None = None
    until: float = -math.inf
    asked_at: float = 0.0
    asking: threading.Event | None = None


class Lately(Generic[K, V]):
    """Answers by key. Each question is asked once at a time. Safe for many threads."""

    def __init__(self, *, good: float, again: float, most: int) -> None:
        """An answer is `good` for so many seconds; none is asked for `again` later.

        Of `most` keys the answers are kept.
        """
        self._good, self._again, self._most = good, again, most
        self._heard: dict[K, _Heard[V]] = {}
        self._lock = threading.Lock()  # protects `_heard` and what is in it

    def known(
        self, asks: Mapping[K, Callable[[], V]], *, patience: float
    ) -> dict[K, V]:
        """Return what is known of these keys; what is not known yet is left out.

        What is not known, or no longer good, is asked for. It is waited for until
        `patience` seconds after it was asked, however many callers there are.
        """
        waiting = [self._begin(key, ask) for key, ask in asks.items()]
        for asking, asked_at in waiting:
            if asking is not None:
                left = asked_at + patience - time.monotonic()
                asking.wait(max(0.0, left))
        with self._lock:
            found = {key: self._heard.get(key) for key in asks}
            return {
                key: heard.answer[0]
                for key, heard in found.items()
                if heard is not None and heard.answer is not None
            }

    def _begin(
        self, key: K, ask: Callable[[], V]
    ) -> tuple[threading.Event | None, float]:
        with self._lock:
            if key not in self._heard and len(self._heard) >= self._most:
                self._heard.clear()
            heard = self._heard.setdefault(key, _Heard())
            if heard.asking is None and time.monotonic() >= heard.until:
                heard.asking, heard.asked_at = threading.Event(), time.monotonic()
                threading.Thread(
                    target=self._ask, args=(heard, ask), name="lately", daemon=True
                ).start()
            return heard.asking, heard.asked_at

    def _ask(self, heard: _Heard[V], ask: Callable[[], V]) -> None:
        answer: tuple[V] | None = None
        try:
            answer = (within(LONGEST_SECONDS, ask, name="lately"),)
        except Exception as error:  # noqa: BLE001 -- border: whatever a client raises
            # Pages come whether or not a model answers.
            log.info("an endpoint did not say: %s", type(error).__name__)
        with self._lock:
            seconds = self._again if answer is None else self._good
            heard.answer, heard.until = answer, time.monotonic() + seconds
            if heard.asking is not None:
                heard.asking.set()
            heard.asking = None
