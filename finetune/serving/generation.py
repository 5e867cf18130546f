"""One running reply: the engine's thread fills it, the caller's thread empties it."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from finetune.serving.engine import Engine
from finetune.serving.errors import engine_failed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delta:
    """Text that was added, and the log-probabilities of its tokens if asked for."""

    text: str
    logprobs: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the reply ended, and how many tokens it took."""

    reason: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(slots=True)
class _Gathered:
    text: list[str] = field(default_factory=list)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    finish: Finish | None = None


class Generation:
    """Runs one completion request and hands out what arrives in batches."""

    def __init__(
        self, engine: Engine, request: dict[str, Any], on_end: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._request = request
        self._on_end = on_end
        self._chunks: deque[str] = deque()
        self._arrived = threading.Event()
        self._ended = threading.Event()
        self._is_cancelled = False
        # Log-probabilities whose text the engine holds back: it may begin a stop word.
        self._held: list[dict[str, Any]] = []

    def start(self, threads: Executor) -> None:
        """Begin; `on_end` is called when the engine is done with it."""
        threads.submit(self._run)

    def cancel(self) -> None:
        """Stop at the next token, or at the next step of reading the prompt."""
        self._is_cancelled = True

    def events(
        self, *, pause: Callable[[], float], beat: float
    ) -> Iterator[Delta | Finish | None]:
        """Yield what has arrived, at most once per `pause()` seconds after the first.

        Yields None when nothing has arrived for `beat` seconds.
        """
        while True:
            gathered = self._gather(beat)
            if gathered.text or gathered.logprobs:
                yield Delta("".join(gathered.text), gathered.logprobs)
            elif gathered.finish is None:
                yield None
            if gathered.finish is not None:
                yield gathered.finish
                return
            if gathered.text:
                self._ended.wait(pause())

    def _run(self) -> None:
        try:
            if not self._is_cancelled:
                self._engine.complete(self._request, self._receive)
        except Exception as error:  # noqa: BLE001 -- border: the engine's thread
            # Only the kind: the message may quote the prompt.
            _log.error("the engine failed: %s", type(error).__name__)
        finally:
            self._ended.set()
            self._arrived.set()
            self._on_end()

    def _receive(self, chunk: str) -> bool:
        # Called for each token while the engine waits: nothing is parsed here.
        self._chunks.append(chunk)
        self._arrived.set()
        return self._is_cancelled

    def _gather(self, beat: float) -> _Gathered:
        if not self._chunks and not self._ended.is_set():
            self._arrived.clear()
            # Checked again: a chunk may have come before the clear.
            if not self._chunks and not self._ended.is_set():
                self._arrived.wait(beat)
        has_ended = self._ended.is_set()
        gathered = _Gathered()
        while self._chunks:
            self._read(json.loads(self._chunks.popleft()), gathered)
        if has_ended and gathered.finish is None:
            raise engine_failed()
        return gathered

    def _read(self, chunk: dict[str, Any], gathered: _Gathered) -> None:
        if "error" in chunk:
            _log.error("the engine refused: %s", chunk["error"].get("type"))
            raise engine_failed()
        if "prompt_progress" in chunk:
            return
        choice = chunk["choices"][0]
        text = choice["text"]
        if choice["logprobs"]:
            self._held += choice["logprobs"]["content"]
        if text:
            gathered.text.append(text)
            gathered.logprobs += self._held
            self._held = []
        if choice["finish_reason"]:
            usage = chunk["usage"]
            gathered.finish = Finish(
                choice["finish_reason"],
                usage["prompt_tokens"],
                usage["completion_tokens"],
            )
