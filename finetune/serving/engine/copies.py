"""A served chat model: copies of llama.cpp with continuous batching.

Copies, because threads of one wait for each other many times per token: two copies
with a thread each are quicker than one with two, and a busy core slows down only one of
them. A copy always opens an HTTP port of its own. It listens on the loopback address,
wants a random key that nobody else knows, has no page and no slot or metrics listing,
and is used here for two things that have no Python call: tokenising and rendering the
model's chat template. Generation runs in the process.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue
from typing import Any
from urllib.parse import urlsplit

# The engine's threads wait for each other hundreds of times per token. By default they
# spin while they wait, which is ruinous as soon as anything else wants a core: with two
# cores and a busy neighbour, replies came ten times faster when threads give up soon.
# Read once, when the library that runs the threads is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "100")

import xllamacpp

from finetune.serving.engine.fair_queue import FairQueue

# Tokens worked on in one step. A step cannot be cancelled, so it must stay well under
# a second on a slow processor; measured, smaller steps cost no speed there.
_STEP_TOKENS = 64
_SILENT = -1
_CONNECTIONS = 4
_COPIES = 2

Chunk = Callable[[str], bool]


class EngineError(Exception):
    """The engine refused or broke. The text is for logs only if it quotes no prompt."""


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
        self._servers = [xllamacpp.Server(parameters) for _ in range(copies)]
        # Protects _running: replies under way in each copy.
        self._lock = threading.Lock()
        self._running = [0] * copies
        self._port = _Loopback(self._servers[0].listening_address, key)

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

    def apply_template(self, messages: list[dict[str, str]]) -> str:
        """Render messages with the chat template that is stored in the model."""
        answer = self._port.post("/apply-template", {"messages": messages})
        return str(answer["prompt"])

    def complete(self, request: dict[str, Any], on_chunk: Chunk) -> None:
        """Generate; `on_chunk` gets each JSON chunk and returns True to cancel."""
        with self._idlest() as server:
            server.handle_completions(json.dumps(request), on_chunk)

    def close(self) -> None:
        """Give the memory back; it cannot be used any more.

        The library has no call for it: a copy frees all it has when nothing holds it.
        """
        self._port.close()
        with self._lock:
            self._servers.clear()

    @contextmanager
    def _idlest(self) -> Iterator[Any]:
        """Lend the copy with the fewest replies under way."""
        with self._lock:
            idlest = self._running.index(min(self._running))
            self._running[idlest] += 1
        try:
            yield self._servers[idlest]
        finally:
            with self._lock:
                self._running[idlest] -= 1


class _Loopback:
    """A few kept-alive connections to the engine's own port, shared by all threads.

    Only a few: the engine gives a thread to each connection, even to an idle one.
    """

    def __init__(self, address: str, key: str) -> None:
        host = urlsplit(address).netloc
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
        }
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue()
        for _ in range(_CONNECTIONS):
            self._idle.put(http.client.HTTPConnection(host, timeout=60))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send JSON and return the JSON answer."""
        data = json.dumps(body).encode()
        connection = self._idle.get()
        try:
            try:
                status, answer = self._exchange(connection, path, data)
            except (http.client.HTTPException, OSError):
                # The engine closes idle connections; a fresh one settles it.
                connection.close()
                status, answer = self._exchange(connection, path, data)
        finally:
            self._idle.put(connection)
        if status != http.HTTPStatus.OK:
            raise EngineError(f"the engine answered {status} on {path}")
        result: dict[str, Any] = json.loads(answer)
        return result

    def close(self) -> None:
        """Close the idle connections."""
        while not self._idle.empty():
            self._idle.get().close()

    def _exchange(
        self, connection: http.client.HTTPConnection, path: str, data: bytes
    ) -> tuple[int, bytes]:
        connection.request("POST", path, data, self._headers)
        response = connection.getresponse()
        return response.status, response.read()


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
    # A reply must not depend on, or be timed against, what someone else has asked.
    parameters.cache_prompt = False
    parameters.cache_idle_slots = False
    parameters.cache_ram_mib = 0
    # An assistant message at the end is a finished turn, as in the OpenAI API.
    parameters.prefill_assistant = False
    # The engine's log would quote prompts.
    parameters.verbosity = _SILENT
    return parameters
