"""A chat model as it is served, and shares of hits among its replies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from finetune.figures import wilson
from finetune.serving.engine.copies import Engine
from finetune.serving.engine.prompts import ChatPrompts, ChatTurn
from finetune.serving.routes.chat import engine_request
from finetune.serving.routes.schemas import ChatMessage, ChatRequest

# Replies that are written at the same time.
STREAMS = 8
_CONTEXT = 1024


class Named(Protocol):
    """Something that counts for a figure."""

    @property
    def figure(self) -> str:
        """The name of the figure."""


Probe = TypeVar("Probe", bound=Named)


@dataclass(frozen=True, slots=True)
class Figure:
    """A share of hits with its 95 % Wilson interval."""

    hits: int
    count: int

    @property
    def share(self) -> float:
        """Hits over count; 0 of nothing is 0."""
        return self.hits / self.count if self.count else 0.0

    def interval(self) -> tuple[float, float]:
        """Return the bounds of the Wilson score interval, 95 %."""
        _, low, high = wilson(self.hits, self.count)
        return low, high

    def as_row(self) -> dict[str, Any]:
        """Return the figure as it is stored in a manifest."""
        low, high = self.interval()
        return {
            "share": round(self.share, 4),
            "interval": [round(low, 4), round(high, 4)],
            "count": self.count,
        }


def count_hits(judged: Iterable[tuple[Probe, bool]]) -> dict[str, Figure]:
    """Return figure name → share, in the order of first appearance."""
    hits: dict[str, list[bool]] = {}
    for probe, is_hit in judged:
        hits.setdefault(probe.figure, []).append(is_hit)
    return {name: Figure(sum(own), len(own)) for name, own in hits.items()}


class Served:
    """A chat model behind the engine."""

    def __init__(
        self, name: str, path: Path, *, copies: int = 0, threads: int = 0
    ) -> None:
        self._name = name
        self._engine = Engine(
            name,
            path,
            slots=STREAMS,
            context=_CONTEXT,
            copies=copies,
            threads=threads,
        )
        self.prompts = ChatPrompts(self._engine)

    def say(
        self,
        turns: Sequence[ChatTurn],
        *,
        tokens: int,
        temperature: float = 0.0,
        seed: int = 1,
    ) -> str:
        """Return the reply to a chat, at most so many tokens of it."""
        body = ChatRequest(
            model=self._name,
            # Only its settings are read: the chat itself goes as tokens.
            messages=[ChatMessage(role="user", content=turns[-1].content or " ")],
            temperature=temperature,
            seed=seed,
        )
        ids = self.prompts.chat(turns).ids
        pieces: list[str] = []

        def collect(chunk: str) -> bool:
            choices = json.loads(chunk).get("choices") or [{}]
            pieces.append(choices[0].get("text") or "")
            return False

        self._engine.complete(engine_request(body, ids, tokens), collect)
        return "".join(pieces).strip()

    def close(self) -> None:
        """Close the connections to the engine."""
        self._engine.close()
