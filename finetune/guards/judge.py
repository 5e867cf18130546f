"""The two guards that answer /v1/moderations: `gate` for messages, `leak` for replies.

Both are provisional: trained models will take their place behind the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from finetune.guards.decoders import DECODERS
from finetune.guards.exemplars import Embed, Nearness, read_exemplars
from finetune.guards.text import fold, join_spaced, views, words

# Chosen on public prompts that are not among the examples: about three of a hundred
# ordinary questions are flagged, and six of ten plain attempts to get a password.
_GATE_SLOPE, _GATE_OFFSET = 20.0, 0.09
_PART_MARGIN = 0.06
_LEAK_SLOPE, _LEAK_OFFSET = 20.0, 0.10
# A reply about the secret's meaning: cosine of a sentence and the bare word.
_MEANING_SLOPE, _MEANING_COSINE = 20.0, 0.38


@dataclass(frozen=True, slots=True)
class Judgement:
    """Scores by category; flagged when one reaches the threshold."""

    scores: dict[str, float]
    threshold: float = 0.5

    @property
    def flagged(self) -> bool:
        """Return whether the text should be blocked."""
        return max(self.scores.values()) >= self.threshold


class Judge(Protocol):
    """A guard model."""

    def judge(self, text: str, secret: str | None) -> Judgement:
        """Score a text; `secret` is what it must not give away, if there is one."""


class Gate:
    """Says whether a message tries to get at the secret or to override the rules."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._nearness = Nearness(
            read_exemplars("gate"), embed, slope=_GATE_SLOPE, offset=_GATE_OFFSET
        )

    def judge(self, text: str, secret: str | None) -> Judgement:
        """Score a message by its nearness to attacks and to fine messages."""
        seen = views(join_spaced(fold(text)))
        vectors = self._embed(seen)
        return Judgement(self._nearness.scores(vectors, margin=_PART_MARGIN))


class Leak:
    """Says whether a reply gives the secret away."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._nearness = Nearness(
            read_exemplars("leak"), embed, slope=_LEAK_SLOPE, offset=_LEAK_OFFSET
        )

    def judge(self, text: str, secret: str | None) -> Judgement:
        """Look for the secret in every disguise, for its meaning, and for hints."""
        bare = "".join(words(secret or ""))
        scores = {
            name: float(bool(bare) and any(decode(text, bare) for decode in decoders))
            for name, decoders in DECODERS.items()
        }
        vectors = self._embed(views(text))
        scores |= self._nearness.scores(vectors)
        scores["meaning"] = self._meaning(vectors, secret) if secret else 0.0
        return Judgement(scores)

    def _meaning(self, vectors: np.ndarray, secret: str) -> float:
        cosine = float((vectors @ self._embed([secret])[0]).max())
        return float(1 / (1 + np.exp(-_MEANING_SLOPE * (cosine - _MEANING_COSINE))))
