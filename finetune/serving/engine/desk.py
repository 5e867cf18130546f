"""Takes a request from the queue to its last token."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from finetune.serving.engine.beginnings import Shared
from finetune.serving.engine.copies import Engine
from finetune.serving.engine.fair_queue import FairQueue
from finetune.serving.engine.generation import Finish, Generation, TextPiece
from finetune.serving.errors import stopping

# How long a stream may be silent: a caller who has left is noticed within this time.
_BEAT = 0.25
# Chunks of one stream are at least this far apart, so that Python stays off the
# engine's cores; with many streams they are further apart.
_PAUSE = 0.04
_LONGEST_PAUSE = 0.15


@dataclass(frozen=True, slots=True)
class Waiting:
    """The request waits; 1 is next."""

    position: int


@dataclass(frozen=True, slots=True)
class ReadingPrompt:
    """A slot is free: the engine reads the prompt now."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing new, still alive."""


ReplyEvent = Waiting | ReadingPrompt | Beat | TextPiece | Finish


class CallerLeft(Exception):
    """The caller no longer reads the reply."""


class Desk:
    """The queue, the threads that drive the engine, and all replies under way."""

    def __init__(self, *, slots: int, waiting: int) -> None:
        self.queue = FairQueue(slots=slots, waiting=waiting)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="engine")
        # Protects _replies.
        self._lock = threading.Lock()
        self._replies: set[RunningReply] = set()
        self.is_stopping = False

    def open(
        self,
        engine: Engine,
        request: dict[str, Any],
        *,
        stop_words: Sequence[str],
        user: str,
        is_connected: Callable[[], bool],
        on_end: Callable[[], None] = lambda: None,
        shared: Sequence[Shared] = (),
    ) -> RunningReply:
        """Put a request into the queue; raise ApiError 429 when it is full.

        `on_end` is called when the engine is done with the request, or will never see
        it; then the engine may go.
        """
        reply = RunningReply(
            self,
            engine,
            request,
            stop_words=stop_words,
            user=user,
            is_connected=is_connected,
            on_end=on_end,
            shared=shared,
        )
        with self._lock:
            self._replies.add(reply)
        return reply

    @contextmanager
    def turn(self, *, user: str, is_connected: Callable[[], bool]) -> Iterator[None]:
        """Wait for a turn as a reply does, and hold it; raise CallerLeft, or ApiError.

        For what the caller's own thread does with the engine.
        """
        ticket = self.queue.enter(user)
        try:
            while not ticket.wait(_BEAT):
                if not is_connected():
                    raise CallerLeft
            yield
        finally:
            ticket.leave()

    def forget(self, reply: RunningReply) -> None:
        """Drop a closed reply."""
        with self._lock:
            self._replies.discard(reply)

    def start(self, generation: Generation) -> None:
        """Give a generation one of the engine's threads."""
        generation.start(self._threads)

    def pause(self) -> float:
        """Return the time between two chunks of one stream."""
        return min(_LONGEST_PAUSE, _PAUSE * max(1.0, self.queue.running / 2))

    def stop(self, seconds: float) -> None:
        """Refuse what waits, let running replies finish for a while, end the rest."""
        self.is_stopping = True
        self.queue.close()
        deadline = time.monotonic() + seconds
        while self.queue.running and time.monotonic() < deadline:
            time.sleep(0.05)
        with self._lock:
            replies = list(self._replies)
        for reply in replies:
            reply.close()


class RunningReply:
    """One request, from its ticket to its end. Iterate `events` once, then close."""

    def __init__(
        self,
        desk: Desk,
        engine: Engine,
        request: dict[str, Any],
        *,
        stop_words: Sequence[str],
        user: str,
        is_connected: Callable[[], bool],
        on_end: Callable[[], None],
        shared: Sequence[Shared],
    ) -> None:
        self._desk = desk
        self._is_connected = is_connected
        self._on_end = on_end
        self._ticket = desk.queue.enter(user)
        # The slot is free again only when the engine is really done with it.
        self._generation = Generation(
            engine, request, stop_words, self._leave, shared=shared
        )
        self._has_started = False

    def events(self) -> Iterator[ReplyEvent]:
        """Yield what happens; raise CallerLeft when nobody listens any more."""
        yield from self._wait()
        self._has_started = True
        self._desk.start(self._generation)
        yield from self._wait_reading()
        yield ReadingPrompt()
        try:
            for event in self._generation.events(pause=self._desk.pause, beat=_BEAT):
                self._check_caller()
                yield Beat() if event is None else event
        except Exception:
            if self._desk.is_stopping:
                raise stopping() from None
            raise

    def close(self) -> None:
        """Cancel what is not finished. Harmless when repeated."""
        if self._has_started:
            self._generation.cancel()
        else:
            self._leave()
        self._desk.forget(self)

    def _leave(self) -> None:
        self._ticket.leave()
        self._on_end()

    def _wait(self) -> Iterator[ReplyEvent]:
        last = 0
        while not self._ticket.is_granted:
            if self._ticket.position != last:
                last = self._ticket.position
                yield Waiting(last)
            if not self._ticket.wait(_BEAT):
                self._check_caller()
                yield Beat()

    def _wait_reading(self) -> Iterator[ReplyEvent]:
        """Yield the position in line while prompts are read one by one."""
        last = 0
        while position := self._generation.wait_reading(_BEAT):
            self._check_caller()
            yield Beat() if position == last else Waiting(position)
            last = position

    def _check_caller(self) -> None:
        if not self._is_connected():
            raise CallerLeft
