"""The gate: is a message after the secret, or against the rules?"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NamedTuple

from finetune.guards.canonical import Canonicaliser
from finetune.guards.detector import (
    ADAPTER,
    load_detector,
    logits_of,
    quantised,
    spans,
    tokenise,
    windows,
    with_marks,
)
from finetune.guards.judge import (
    MOST_TOKENS,
    Case,
    Judgement,
    TextTooLong,
    WeighedPiece,
)
from finetune.guards.minilm import POSITIONS, load_tokenizer
from finetune.guards.occlusion import pieces_of, weigh
from finetune.guards.text import with_gaps, without_padding
from finetune.weights.releases import read_release

GUARD = "guard.json"


class _Reading(NamedTuple):
    """A text as it is read: its tokens, and where each of them stands in it."""

    text: str
    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]

    def shown(self, span: slice) -> str:
        """Return the text of a window."""
        places = self.offsets[span]
        return self.text[places[0][0] : places[-1][1]]


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
        """Score the worst window of a message, in whatever way it is read."""
        size = POSITIONS if case.as_typed else self._window
        found = [
            (reading, span)
            for reading in self._readings(case)
            for span in spans(len(reading.ids), size)
        ]
        rows = [with_marks(reading.ids[span]) for reading, span in found]
        distinct = list(dict.fromkeys(rows))
        logits = dict(zip(distinct, logits_of(self._detector, distinct), strict=True))
        worst = max(range(len(rows)), key=lambda number: logits[rows[number]])
        highlights: tuple[WeighedPiece, ...] = ()
        reading, span = found[worst]
        if case.highlights and reading.ids:
            highlights = self._highlights(reading.shown(span), size)
        return Judgement(
            {"attack": self._score(logits[rows[worst]])},
            self.threshold,
            self.version,
            highlights,
        )

    def _readings(self, case: Case) -> list[_Reading]:
        """Return a text in plain form, without its padding, and as it was typed.

        The plain form undoes disguises; but who knows how can write a text that it
        spoils, so the others count as much. So does each with gaps in long words.
        """
        texts = [case.text]
        if not case.as_typed:
            bare = without_padding(case.text)
            texts = [self._plain(case.text), self._plain(bare), case.text]
        shown = dict.fromkeys(form(t) for form in (str, with_gaps) for t in texts)
        readings = [self._read(text, case) for text in shown]
        return list({reading.ids: reading for reading in reversed(readings)}.values())

    def _read(self, text: str, case: Case) -> _Reading:
        tokens = self._tokenizer.encode(text, add_special_tokens=False)
        ids = tuple(tokens.ids[: case.first_tokens])
        if len(ids) > MOST_TOKENS:
            raise TextTooLong(len(ids))
        return _Reading(text, ids, tuple(tokens.offsets[: len(ids)]))

    def _score(self, logit: float) -> float:
        return 1 / (1 + math.exp(-logit / self._temperature))

    def _highlights(self, text: str, size: int) -> tuple[WeighedPiece, ...]:
        """Weigh the pieces of what is in one window."""

        def scores_of(texts: list[str]) -> list[float]:
            rows = [windows(ids, size)[0] for ids in tokenise(self._tokenizer, texts)]
            return [self._score(logit) for logit in logits_of(self._detector, rows)]

        return weigh(pieces_of(text), scores_of)
