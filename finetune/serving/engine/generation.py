"""One running reply: the engine's thread fills it, the caller's thread empties it."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from finetune.serving.engine.beginnings import Shared
from finetune.serving.engine.copies import Engine
from finetune.serving.engine.fair_queue import Ticket
from finetune.serving.engine.stop_words import StopWords, Token
from finetune.serving.errors import engine_failed

_log = logging.getLogger(__name__)

# How soon a cancelled request that still waits is noticed.
_CANCEL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Text that was added, and the log-probabilities of its tokens if asked for.

    A character that takes several tokens, such as an emoji, has one entry: the engine
    reports only the last of them.
    """

    text: str
    logprobs: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the reply ended, and how many tokens it took."""

    reason: str
    prompt_tokens: int
    completion_tokens: int


class Generation:
    """Runs one completion request and hands out what arrives in batches."""

    def __init__(
        self,
        engine: Engine,
        request: dict[str, Any],
        stop_words: Sequence[str],
        on_end: Callable[[], None],
        *,
        shared: Sequence[Shared] = (),
    ) -> None:
        self._engine = engine
        self._shared = shared
        self._request = request
        self._stop_words = StopWords(stop_words)
        self._on_end = on_end
        self._reading: Ticket | None = None
        self._may_read = threading.Event()
        self._chunks: deque[str] = deque()
        self._arrived = threading.Event()
        self._ended = threading.Event()
        self._is_cancelled = False
        self._tokens = 0

    def start(self, threads: Executor) -> None:
        """Begin; `on_end` is called when the engine is done with it."""
        threads.submit(self._run)

    def cancel(self) -> None:
        """Stop at the next token, or at the next step of reading the prompt."""
        self._is_cancelled = True

    def wait_reading(self, seconds: float) -> int:
        """Wait for the prompt's turn; return its position in line, 0 once it came."""
        if self._may_read.wait(seconds):
            return 0
        ticket = self._reading
        return max(1, ticket.position) if ticket is not None else 1

    def events(
        self, *, pause: Callable[[], float], beat: float
    ) -> Iterator[TextPiece | Finish | None]:
        """Yield what has arrived, at most once per `pause()` seconds after the first.

        Yields None when nothing has arrived for `beat` seconds.
        """
        finish = None
        while finish is None:
            tokens, finish = self._gather(beat)
            if tokens:
                text = "".join(token.text for token in tokens)
                yield TextPiece(
                    text, [one for token in tokens for one in token.logprobs]
                )
                if finish is None:
                    self._ended.wait(pause())
            elif finish is None:
                yield None
        yield finish

    def _run(self) -> None:
        try:
            self._await_reading()
            self._may_read.set()
            if not self._is_cancelled:
                self._engine.complete(self._request, self._receive, self._shared)
        except Exception as error:  # noqa: BLE001 -- border: the engine's thread
            # Only the kind: the message may quote the prompt.
            _log.error("the engine failed: %s", type(error).__name__)
        finally:
            self._end_reading()
            self._may_read.set()
            self._ended.set()
            self._arrived.set()
            self._on_end()

    def _await_reading(self) -> None:
        """Wait until no other prompt is being read.

        The engine reads prompts slot by slot: left alone, one that comes later but to
        a lower slot goes first, and under load some prompts are never read.
        """
        self._reading = self._engine.reading.enter("")
        while not (self._is_cancelled or self._reading.wait(_CANCEL_SECONDS)):
            pass

    def _end_reading(self) -> None:
        if self._reading is not None:
            self._reading.leave()
            self._reading = None

    def _receive(self, chunk: str) -> bool:
        # Called for each token while the engine waits: nothing is parsed here.
        self._chunks.append(chunk)
        if self._reading is not None and "prompt_progress" not in chunk:
            self._end_reading()
        self._arrived.set()
        return self._is_cancelled

    def _gather(self, beat: float) -> tuple[list[Token], Finish | None]:
        if not self._chunks:
            self._arrived.wait(beat)
        # Before the chunks are taken: one that comes later sets it again.
        self._arrived.clear()
        has_ended = self._ended.is_set()
        tokens: list[Token] = []
        while self._chunks:
            finish = self._read(json.loads(self._chunks.popleft()), tokens)
            if finish is not None:
                return tokens, finish
        if has_ended:
            raise engine_failed()
        return tokens, None

    def _read(self, chunk: dict[str, Any], tokens: list[Token]) -> Finish | None:
        if "error" in chunk:
            _log.error("the engine refused: %s", chunk["error"].get("type"))
            raise engine_failed()
        if "prompt_progress" in chunk:
            return None
        choice = chunk["choices"][0]
        if choice["finish_reason"]:
            tokens += self._stop_words.rest()
            usage = chunk["usage"]
            return Finish(
                choice["finish_reason"],
                usage["prompt_tokens"],
                usage["completion_tokens"],
            )
        self._tokens += 1
        logprobs = choice["logprobs"]["content"] if choice["logprobs"] else []
        tokens += self._stop_words.push(Token(choice["text"], logprobs))
        if not self._stop_words.is_hit:
            return None
        self.cancel()
        return Finish("stop", len(self._request["prompt"]), self._tokens)
