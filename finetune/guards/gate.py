"""The gate: is a message after the secret, or against the rules?"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

from finetune.guards.canonical import Canonicaliser
from finetune.guards.detector import (
    ADAPTER,
    load_detector,
    logits_of,
    quantised,
    tokenise,
    windows,
)
from finetune.guards.judge import Case, Judgement, Part
from finetune.guards.minilm import PLACES, load_tokenizer
from finetune.release import read_release

GUARD = "guard.json"
_PIECES = re.compile(r"\S+\s*|\s+")
# Highlights need one reading for each piece; longer texts are cut into longer pieces.
_MOST_PIECES = 40


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
        (ids,) = tokenise(self._tokenizer, [text])
        ids = ids[: case.first_tokens]
        size = PLACES if case.as_typed else self._window
        parts = windows(ids, size)[: 1 if case.as_typed else None]
        logits = logits_of(self._detector, parts)
        worst = max(range(len(parts)), key=logits.__getitem__)
        highlights: tuple[Part, ...] = ()
        if case.highlights:
            highlights = self._highlights(self._tokenizer.decode(parts[worst]), size)
        return Judgement(
            {"attack": self._score(logits[worst])},
            self.threshold,
            self.version,
            highlights,
        )

    def _score(self, logit: float) -> float:
        return 1 / (1 + math.exp(-logit / self._temperature))

    def _highlights(self, text: str, size: int) -> tuple[Part, ...]:
        """Leave each piece out in turn: how much does the score fall?"""
        pieces = _PIECES.findall(text)
        each = -(-len(pieces) // _MOST_PIECES)
        groups = ["".join(pieces[n : n + each]) for n in range(0, len(pieces), each)]
        texts = [
            text,
            *("".join(groups[:n] + groups[n + 1 :]) for n in range(len(groups))),
        ]
        rows = [windows(ids, size)[0] for ids in tokenise(self._tokenizer, texts)]
        whole, *without = map(self._score, logits_of(self._detector, rows))
        return tuple(
            Part(group, round(whole - score, 4))
            for group, score in zip(groups, without, strict=True)
        )
