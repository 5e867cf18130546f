"""The gate: is a message after the secret, or against the rules?"""

from __future__ import annotations

import json
import math
from pathlib import Path

from finetune.guards.canonical import Canonicaliser
from finetune.guards.detector import (
    ADAPTER,
    load_detector,
    logits_of,
    quantised,
    spans,
    tokenise,
    windows,
)
from finetune.guards.judge import Case, Judgement, WeighedPiece
from finetune.guards.minilm import POSITIONS, load_tokenizer
from finetune.guards.occlusion import pieces_of, weigh
from finetune.weights.releases import read_release

GUARD = "guard.json"


class Gate:
    """The released gate, ready to judge."""

    def __init__(self, base: Path, release: Path) -> None:
        """`base` is the folder of the sentence model.

        Raises ReleaseError when the release is damaged or is for another base.
        """
        released = read_release(release, base=base / "model.safetensors")
        settings = json.loads(released.file(GUARD).read_text("utf-8"))
        self.version = released.version
        self.threshold: float = settings["threshold"]
        self._temperature: float = settings["temperature"]
        self._window: int = settings["window"]
        self._detector = quantised(load_detector(base, released.file(ADAPTER)))
        self._tokenizer = load_tokenizer(base)
        vocabulary = (base / "vocab.txt").read_text("utf-8").splitlines()
        self._plain = Canonicaliser(vocabulary)

    def judge(self, case: Case) -> Judgement:
        """Score the worst window of a message."""
        text = case.text if case.as_typed else self._plain(case.text)
        tokens = self._tokenizer.encode(text, add_special_tokens=False)
        ids = tokens.ids[: case.first_tokens]
        size = POSITIONS if case.as_typed else self._window
        parts = windows(ids, size)[: 1 if case.as_typed else None]
        logits = logits_of(self._detector, parts)
        worst = max(range(len(parts)), key=logits.__getitem__)
        highlights: tuple[WeighedPiece, ...] = ()
        if case.highlights and ids:
            offsets = tokens.offsets[: len(ids)][spans(len(ids), size)[worst]]
            highlights = self._highlights(text[offsets[0][0] : offsets[-1][1]], size)
        return Judgement(
            {"attack": self._score(logits[worst])},
            self.threshold,
            self.version,
            highlights,
        )

    def _score(self, logit: float) -> float:
        return 1 / (1 + math.exp(-logit / self._temperature))

    def _highlights(self, text: str, size: int) -> tuple[WeighedPiece, ...]:
        """Weigh the pieces of what is in one window."""

        def scores_of(texts: list[str]) -> list[float]:
            rows = [windows(ids, size)[0] for ids in tokenise(self._tokenizer, texts)]
            return [self._score(logit) for logit in logits_of(self._detector, rows)]

        return weigh(pieces_of(text), scores_of)
