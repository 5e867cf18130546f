"""Replies that a model gave before, so that an interrupted calibration carries on.

A reply is found again only for the same weights, messages, sampling and seed: then the
model would say the same. An endpoint that does not name its weights counts as the same
while its name and address are. Guards are never remembered.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from webapp.llm.cancel import Cancel
from webapp.llm.chances import NextTokens, Rendered, Scored
from webapp.llm.events import (
    Backend,
    BackendEvent,
    ChatRequest,
    EndpointHealth,
    Finish,
    Listed,
    NextRequest,
    Piece,
    Size,
    TextToken,
)
from webapp.plugins.asking import Look, Moderation
from webapp.security import Secret


class Memory:
    """A file of replies, one JSON object on a line; a line cut short is skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Protects the file and the table: many replies end at the same time.
        self._lock = threading.Lock()
        self._known = dict(_rows(path))
        self.reused = 0

    def get(self, key: str) -> list[Any] | None:
        """Return [text, finish reason, prompt tokens, reply tokens], if it is known."""
        with self._lock:
            row = self._known.get(key)
            self.reused += row is not None
            return row

    def put(self, key: str, row: list[Any]) -> None:
        """Keep a reply, on disk at once."""
        line = json.dumps({"key": key, "reply": row}) + "\n"
        with self._lock:
            self._known[key] = row
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)


class RememberingBackend:
    """A backend that asks its memory before it asks the model."""

    def __init__(self, backend: Backend, memory: Memory, origin: str) -> None:
        """`origin` is used for the weights where the backend does not name them."""
        self._backend = backend
        self._origin = origin
        self._memory = memory
        self._versions: dict[str, str] = {}

    def stream(self, request: ChatRequest, cancel: Cancel) -> Generator[BackendEvent]:
        """Yield the reply that is known, or that the model gives now."""
        if request.top_logprobs is not None:
            # Chances are not kept.
            yield from self._backend.stream(request, cancel)
            return
        key = self._key(request)
        row = self._memory.get(key)
        if row is not None:
            text, *end = row
            yield Piece(text)
            yield Finish(*end)
            return
        pieces: list[str] = []
        for event in self._backend.stream(request, cancel):
            if isinstance(event, Piece):
                pieces.append(event.text)
            yield event
            if isinstance(event, Finish) and "".join(pieces).strip():
                end = [event.reason, event.prompt_tokens, event.completion_tokens]
                self._memory.put(key, ["".join(pieces), *end])

    def measure(self, request: ChatRequest) -> Size:
        """Ask the endpoint."""
        return self._backend.measure(request)

    def tokens(self, model: str, text: str) -> tuple[TextToken, ...]:
        """Ask the model."""
        return self._backend.tokens(model, text)

    def next_tokens(self, request: NextRequest) -> NextTokens:
        """Ask the model."""
        return self._backend.next_tokens(request)

    def score(self, model: str, prompt: str | tuple[int, ...]) -> Scored:
        """Ask the model."""
        return self._backend.score(model, prompt)

    def render(self, request: ChatRequest) -> Rendered:
        """Ask the endpoint."""
        return self._backend.render(request)

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Ask the model."""
        return self._backend.embed(model, texts)

    def moderate(
        self, model: str, text: str, secret: Secret | None, look: Look
    ) -> Moderation:
        """Ask the model."""
        return self._backend.moderate(model, text, secret, look)

    def models(self) -> Mapping[str, Listed]:
        """Ask the endpoint."""
        return self._backend.models()

    def health(self) -> EndpointHealth:
        """Ask the endpoint."""
        return self._backend.health()

    def version(self, model: str) -> str:
        """Return what the endpoint says of the weights; asked once."""
        if model not in self._versions:
            self._versions[model] = self._backend.version(model)
        return self._versions[model]

    def _key(self, request: ChatRequest) -> str:
        sampling = asdict(request.sampling)
        if sampling["top_k"] is None:
            # Replies are still found that were kept before it could be chosen.
            del sampling["top_k"]
        asked = [
            self.version(request.model) or self._origin,
            request.model,
            list(request.messages),
            sampling,
            request.raw_tokens,
        ]
        more = [request.start_reply, request.default_system, request.text]
        if more != ["", True, None]:
            asked += more
        if request.ids is not None:
            asked.append({"ids": request.ids})
        if request.schema:
            asked.append(request.schema)
        if request.choices:
            asked.append({"choices": request.choices})
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _rows(path: Path) -> Generator[tuple[str, list[Any]]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
            key, reply = row["key"], row["reply"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(key, str) and isinstance(reply, list) and len(reply) == 4:
            yield key, reply
