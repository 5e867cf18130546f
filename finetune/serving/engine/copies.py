"""A served chat model: copies of llama.cpp with continuous batching.

Copies, because threads of one wait for each other many times per token: two copies
with a thread each are quicker than one with two, and a busy core slows down only one of
them. A copy always opens an HTTP port of its own. It listens on the loopback address,
wants a random key that nobody else knows, has no page and no slot or metrics listing,
and is used here for what has no Python call: tokenising, rendering the model's chat
template, and saving and loading what was read. Generation runs in the process.

Each reply gets a slot of its own, lent by us. A slot keeps what it read last, secrets
included, and the engine would use it again for any prompt that begins alike. So that is
forbidden, but for a slot into which we have just loaded a beginning that may be shared:
then there is nothing else in it.
"""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

# The engine's threads wait for each other hundreds of times per token. By default they
# spin while they wait, which is ruinous as soon as anything else wants a core: with two
# cores and a busy neighbour, replies came ten times faster when threads give up soon.
# Read once, when the library that runs the threads is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "100")

import xllamacpp

from finetune.serving.engine.beginnings import (
    FOLDER,
    IS_POSSIBLE,
    KEPT_PART,
    Beginnings,
    MemoryFile,
    Shared,
    worth_keeping,
)
from finetune.serving.engine.fair_queue import FairQueue
from finetune.serving.engine.loopback import EngineError, Loopback
from finetune.serving.engine.steps import Steps

_log = logging.getLogger(__name__)

# Tokens worked on in one step. A step cannot be cancelled, so it must stay well under
# a second on a slow processor; measured, smaller steps cost no speed there.
_STEP_TOKENS = 64
_SILENT = -1
_COPIES = 2
# Names of tokens that are remembered.
_NAMES = 4096

Chunk = Callable[[str], bool]


class Engine:
    """A served chat model. Safe to use from many threads."""

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        slots: int,
        context: int,
        copies: int = 0,
        threads: int = 0,
    ) -> None:
        """`slots` are shared by the copies, each of which has as many `threads`.

        0 stands for what suits the machine.
        """
        self.name = name
        self.context = context
        copies = number_of_copies(copies, slots)
        # Whose prompts are being read; the others wait in the order they came.
        self.reading = FairQueue(slots=copies, waiting=slots)
        key = secrets.token_urlsafe(32)
        parameters = _parameters(
            path, key, math.ceil(slots / copies), context, threads or default_threads()
        )
        self._copies = [_Copy(parameters, key) for _ in range(copies)]
        # Protects the free slots of the copies.
        self._freed = threading.Condition()
        self._beginnings = Beginnings(slots * context // KEPT_PART)
        self._port = self._copies[0].port
        self.name_of = lru_cache(maxsize=_NAMES)(self._name)
        self.is_control = lru_cache(maxsize=_NAMES)(self._is_control)

    @cached_property
    def words(self) -> int:
        """How many tokens the model knows; their ids begin at 0."""
        return int(self._port.get("/v1/models")["data"][0]["meta"]["n_vocab"])

    def tokenise(
        self, text: str, *, special: bool = False, start: bool = False
    ) -> list[int]:
        """Return the token ids of a text.

        Only with `special` does the name of a control token become that token; else
        it is spelled out in ordinary tokens. `start` adds what begins every prompt.
        """
        answer = self._port.post(
            "/tokenize",
            {"content": text, "parse_special": special, "add_special": start},
        )
        return list(answer["tokens"])

    def pieces(
        self, text: str, *, special: bool = False, start: bool = False
    ) -> list[tuple[int, bytes]]:
        """Return the tokens of a text as ids and bytes; one may be half a character."""
        body = {"content": text, "parse_special": special, "add_special": start}
        answer = self._port.post("/tokenize", body | {"with_pieces": True})
        return [(one["id"], _bytes(one["piece"])) for one in answer["tokens"]]

    def apply_template(
        self, messages: list[dict[str, str]], *, reply_follows: bool = True
    ) -> str:
        """Render messages with the chat template that is stored in the model."""
        body = {"messages": messages, "add_generation_prompt": reply_follows}
        answer = self._port.post("/apply-template", body)
        return str(answer["prompt"])

    def complete(
        self, request: dict[str, Any], on_chunk: Chunk, shared: Sequence[Shared] = ()
    ) -> None:
        """Generate; `on_chunk` gets each JSON chunk and returns True to cancel.

        What is `shared` of the prompt is read once and kept.
        """
        with self._slot() as (copy, slot):
            asked = request | {"id_slot": slot}
            parts = worth_keeping(shared) if IS_POSSIBLE else []
            if parts:
                asked["cache_prompt"] = self._begin(
                    copy, slot, request["prompt"], parts, on_chunk
                )
            copy.server.handle_completions(json.dumps(asked), on_chunk)

    def close(self) -> None:
        """Give the memory back; it cannot be used any more.

        The library has no call for it: a copy frees all it has when nothing holds it.
        """
        self._beginnings.clear()
        with self._freed:
            for copy in self._copies:
                copy.port.close()
            self._copies.clear()

    def _begin(
        self,
        copy: _Copy,
        slot: int,
        ids: list[int],
        parts: list[Shared],
        on_chunk: Chunk,
    ) -> bool:
        """Put the longest part into a slot; return whether it holds nothing else.

        Only then the engine may use what the slot holds. What is not known yet is read
        part by part, so that a reply does not depend on who came first.
        """
        try:
            held = self._load(copy, slot, ids, parts)
            for size, salt in parts:
                if size <= held:
                    continue
                is_read = copy.read(slot, ids[:size], on_chunk, carries_on=held > 0)
                file = MemoryFile()
                if not is_read or copy.save(slot, file) != size:
                    # It was cancelled, or the engine will refuse the whole prompt too.
                    return False
                self._beginnings.put(salt, ids[:size], file)
                held = size
        except (EngineError, OSError) as error:
            _log.warning("a prompt is read from its first token: %s", error)
            return False
        return held == parts[-1].tokens

    def _load(self, copy: _Copy, slot: int, ids: list[int], parts: list[Shared]) -> int:
        """Load the longest part that is known; return how many tokens that is."""
        for size, salt in reversed(parts):
            file = self._beginnings.get(salt, ids[:size])
            if file is not None:
                held = copy.load(slot, file)
                if held != size:
                    raise EngineError(f"the engine loaded {held} tokens of {size}")
                return held
        return 0

    @contextmanager
    def stepping(self) -> Iterator[Steps]:
        """Lend a slot for many short looks, of which each uses what the last one read.

        The slot then holds nothing else, so it tells nothing about anybody.
        """
        with self._slot() as (copy, slot):
            yield Steps(copy, slot, self.reading)

    def _name(self, token: int) -> str:
        """Return a token as text, control tokens by their names."""
        return str(self._port.post("/detokenize", {"tokens": [token]})["content"])

    def _is_control(self, token: int) -> bool:
        """Return whether a token stands for no text, but for a border in a chat."""
        name = self.name_of(token)
        return token in self.tokenise(name, special=True) and (
            token not in self.tokenise(name)
        )

    @contextmanager
    def _slot(self) -> Iterator[tuple[_Copy, int]]:
        """Lend a slot of the copy with the fewest replies under way."""
        with self._freed:
            self._freed.wait_for(lambda: any(copy.free for copy in self._copies))
            copy = max(self._copies, key=lambda copy: len(copy.free))
            slot = copy.free.pop()
        try:
            yield copy, slot
        finally:
            with self._freed:
                copy.free.append(slot)
                self._freed.notify()


class _Copy:
    """One llama.cpp server, its port, and the numbers of its slots that are free."""

    def __init__(self, parameters: Any, key: str) -> None:
        self.server = xllamacpp.Server(parameters)
        self.port = Loopback(self.server.listening_address, key)
        self.free = list(range(parameters.n_parallel))

    def read(
        self, slot: int, ids: list[int], on_chunk: Chunk, *, carries_on: bool
    ) -> bool:
        """Read tokens into a slot and write nothing; return whether all were read.

        It `carries_on` where the slot holds the first of them and nothing else.
        `on_chunk` hears of progress, and may cancel.
        """
        request = {
            "prompt": ids,
            "id_slot": slot,
            "max_tokens": 0,
            "cache_prompt": carries_on,
            "stream": True,
            "return_progress": True,
        }

        last = ""

        def hear(chunk: str) -> bool:
            nonlocal last
            last = chunk
            return "prompt_progress" in chunk and on_chunk(chunk)

        self.server.handle_completions(json.dumps(request), hear)
        # Without an end the slot may still hold what it held before.
        choices = json.loads(last or "{}").get("choices") or [{}]
        return bool(choices[0].get("finish_reason"))

    def save(self, slot: int, file: MemoryFile) -> int:
        """Write what a slot holds into a file; return how many tokens that is."""
        return int(self._file(slot, "save", file)["n_saved"])

    def load(self, slot: int, file: MemoryFile) -> int:
        """Put the contents of a file in place of what a slot holds."""
        return int(self._file(slot, "restore", file)["n_restored"])

    def _file(self, slot: int, action: str, file: MemoryFile) -> dict[str, Any]:
        path = f"/slots/{slot}?action={action}"
        return self.port.post(path, {"filename": file.name})


def _bytes(piece: str | list[int]) -> bytes:
    """Return a piece as bytes; the engine lists them where they are not a text."""
    return piece.encode() if isinstance(piece, str) else bytes(piece)


def number_of_copies(wanted: int, slots: int) -> int:
    """Return how many copies of a model generate beside each other; 0: what suits."""
    return min(wanted or min(_COPIES, os.cpu_count() or 1), slots)


def default_threads() -> int:
    """Return how many threads each copy has: its part of all cores but one.

    If another program takes one of their cores, all threads of a copy stand still.
    """
    return max(1, ((os.cpu_count() or 1) - 1) // _COPIES)


def _parameters(path: Path, key: str, slots: int, context: int, threads: int) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_parallel = slots
    parameters.n_ctx = context * slots
    parameters.n_batch = max(_STEP_TOKENS, slots)
    parameters.n_ubatch = parameters.n_batch
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.hostnames = ["127.0.0.1"]
    parameters.api_keys = [key]
    parameters.endpoint_slots = False
    parameters.endpoint_metrics = False
    parameters.endpoint_props = False
    parameters.ui = False
    # Checking whether a small model fits into memory takes as long as loading it.
    parameters.fit_params = False
    if IS_POSSIBLE:
        # Where beginnings are saved. Nothing is, unless we ask for it.
        parameters.slot_save_path = FOLDER
    # A reply must not depend on, or be timed against, what someone else has asked.
    parameters.cache_prompt = False
    parameters.cache_idle_slots = False
    parameters.cache_ram_mib = 0
    # An assistant message at the end is a finished turn, as in the OpenAI API.
    parameters.prefill_assistant = False
    # The engine's log would quote prompts.
    parameters.verbosity = _SILENT
    return parameters
