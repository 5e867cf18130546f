"""The models that are in memory: loaded on first use, and evicted by memory.

Whoever uses a model borrows it. The first to want one starts its loading, in a thread
that goes on if the caller leaves; all others wait for that. When memory is short,
the model unused the longest goes, and never one that is lent or being loaded.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from finetune.errors import FinetuneError
from finetune.serving.catalogue.entries import Entry
from finetune.serving.errors import (
    ApiError,
    model_failed,
    model_too_large,
    no_memory,
    not_ready,
    queue_full,
)

_log = logging.getLogger(__name__)

# How long a call waits for a model that is being loaded.
LOAD_SECONDS = 30.0


class Model(Protocol):
    """Something loaded."""

    def close(self) -> None:
        """Give its memory back. Nobody uses it any more."""


M = TypeVar("M", bound=Model)
M_co = TypeVar("M_co", bound=Model, covariant=True)


class Prepared(Protocol[M_co]):
    """A model whose files are in place: what it will take, and how it is made."""

    @property
    def memory(self) -> int:
        """Bytes that it takes once it is loaded."""

    def load(self) -> M_co:
        """Load it; called when there is room."""


Prepare = Callable[[], Prepared[M]]


@dataclass(slots=True, eq=False)
class _Item(Generic[M]):
    """A model on the shelf, or on its way there."""

    key: Entry
    users: int = 0
    memory: int = 0
    last_used: float = 0.0
    model: M | None = None
    failure: ApiError | None = None
    settled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_idle(self) -> bool:
        return self.model is not None and self.users == 0


class Lease(Generic[M]):
    """A model that is lent. It stays in memory until `release`."""

    def __init__(self, model: M, give_back: Callable[[], None]) -> None:
        self.model = model
        self._give_back = give_back
        self._lock = threading.Lock()  # protects `_is_over`
        self._is_over = False

    def release(self) -> None:
        """Give it back. Harmless when repeated."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        self._give_back()

    def __enter__(self) -> M:
        return self.model

    def __exit__(self, *_: object) -> None:
        self.release()


class Shelf(Generic[M]):
    """The loaded models of one process, within a number of bytes."""

    def __init__(
        self,
        *,
        budget: int,
        waiting: int = 64,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`budget` is in bytes; `waiting` callers may wait for a model to load."""
        self.budget = budget
        self._most_waiting = waiting
        self._clock = clock
        # Protects everything below and the fields of all items.
        self._lock = threading.Lock()
        self._items: dict[Entry, _Item[M]] = {}
        self._waiting = 0
        self._current: Collection[Entry] | None = None
        self._failures: dict[Entry, str] = {}

    def borrow(
        self,
        key: Entry,
        prepare: Prepare[M],
        *,
        seconds: float | None = LOAD_SECONDS,
        may_evict: bool = True,
    ) -> Lease[M]:
        """Lend a model, loaded now if it is not there; `None` seconds: no limit.

        Raises ApiError: 503 if it does not fit beside what is in use, if it failed, or
        if it takes longer than `seconds`; 429 if too many wait. The next call tries
        again from the start.
        """
        with self._lock:
            item = self._items.get(key)
            is_there = item is not None and item.model is not None
            if not is_there and self._waiting >= self._most_waiting:
                raise queue_full()
            if item is None:
                item = self._begin(key, prepare, may_evict=may_evict)
            item.users += 1
            self._waiting += not is_there
        if not is_there:
            self._wait(item, seconds)
        assert item.model is not None  # noqa: S101 -- settled without a failure
        return Lease(item.model, lambda: self._end_use(item))

    def loaded(self, key: Entry) -> bool:
        """Return whether a model is in memory."""
        with self._lock:
            item = self._items.get(key)
            return item is not None and item.model is not None

    def users(self, key: Entry) -> int:
        """Return how many calls use a model, or wait for it to load."""
        with self._lock:
            item = self._items.get(key)
            return item.users if item else 0

    def failure(self, key: Entry) -> str:
        """Return why a model could not be loaded the last time; empty if it could."""
        with self._lock:
            return self._failures.get(key, "")

    @property
    def used(self) -> int:
        """The bytes that are taken, by estimate."""
        with self._lock:
            return self._used()

    def keep_only(self, keys: Collection[Entry]) -> None:
        """Drop all other models: the idle ones now, those in use when they are free."""
        with self._lock:
            self._current = keys
            self._failures = {k: v for k, v in self._failures.items() if k in keys}
            gone = [p for p in self._items.values() if self._is_unwanted(p)]
            self._take_out(gone)
        _close(gone)

    def _begin(self, key: Entry, prepare: Prepare[M], *, may_evict: bool) -> _Item[M]:
        item: _Item[M] = _Item(key)
        self._items[key] = item
        threading.Thread(
            target=self._load,
            args=(item, prepare, may_evict),
            name=f"load {key.name}",
            daemon=True,
        ).start()
        return item

    def _wait(self, item: _Item[M], seconds: float | None) -> None:
        is_settled = item.settled.wait(seconds)
        with self._lock:
            self._waiting -= 1
            if is_settled and item.failure is None:
                return
            item.users -= 1
        if item.failure is not None:
            # Each caller raises one of its own: threads must not share a traceback.
            raise copy.copy(item.failure)
        raise not_ready(f"The model {item.key.name} is still loading. Try again soon.")

    def _end_use(self, item: _Item[M]) -> None:
        with self._lock:
            item.users -= 1
            item.last_used = self._clock()
            gone = [item] if self._is_unwanted(item) else []
            self._take_out(gone)
        _close(gone)

    def _load(self, item: _Item[M], prepare: Prepare[M], may_evict: bool) -> None:
        name = item.key.name
        try:
            prepared = prepare()
            self._reserve(item, prepared.memory, may_evict=may_evict)
            model = prepared.load()
        except ApiError as error:
            self._fail(item, error, "")
        except (FinetuneError, OSError) as error:
            self._fail(item, model_failed(name, str(error)), str(error))
        except Exception as error:  # noqa: BLE001 -- border: a loading thread
            said = f"{type(error).__name__}: {error}"
            self._fail(item, model_failed(name, said), said)
        else:
            with self._lock:
                item.model = model
                item.last_used = self._clock()
                self._failures.pop(item.key, None)
        finally:
            item.settled.set()

    def _fail(self, item: _Item[M], error: ApiError, problem: str) -> None:
        with self._lock:
            item.failure = error
            if self._items.get(item.key) is item:
                del self._items[item.key]
            if problem:
                self._failures[item.key] = problem
        if problem:
            _log.error("The model %s could not be loaded: %s", item.key.name, problem)

    def _reserve(self, item: _Item[M], memory: int, *, may_evict: bool) -> None:
        """Make room for a model; raise ApiError if there is none to be had."""
        if memory > self.budget:
            raise model_too_large(item.key.name, memory, self.budget)
        with self._lock:
            over = self._used() + memory - self.budget
            gone = self._oldest_idle(over) if may_evict else []
            if over > sum(one.memory for one in gone):
                raise no_memory(item.key.name)
            self._take_out(gone)
            item.memory = memory
        _close(gone)

    def _oldest_idle(self, memory: int) -> list[_Item[M]]:
        """Return the models unused the longest that free that much memory, or all."""
        idle = sorted(
            (item for item in self._items.values() if item.is_idle),
            key=lambda item: item.last_used,
        )
        chosen: list[_Item[M]] = []
        for item in idle:
            if sum(one.memory for one in chosen) >= memory:
                break
            chosen.append(item)
        return chosen

    def _is_unwanted(self, item: _Item[M]) -> bool:
        if self._current is None or not item.is_idle:
            return False
        return item.key not in self._current and item.key in self._items

    def _take_out(self, items: list[_Item[M]]) -> None:
        for item in items:
            del self._items[item.key]

    def _used(self) -> int:
        return sum(item.memory for item in self._items.values())


def _close(items: list[_Item[M]]) -> None:
    """Free what nobody can reach any more. Outside the lock: it takes a while."""
    for item in items:
        if item.model is not None:
            item.model.close()
            item.model = None
