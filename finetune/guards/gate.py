"""The gate: is a message after the secret, or against the rules?"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch

from finetune.guards.detector import ADAPTER, with_marks
from finetune.guards.ensemble import KINDS, Said, load_ensemble
from finetune.guards.judge import Case, Judgement, WeighedPiece
from finetune.guards.occlusion import pieces_of, weigh
from finetune.guards.readings import Reader, Reading
from finetune.weights.releases import read_release

GUARD = "guard.json"
ATTACK, OBFUSCATED = "attack", "obfuscated"
_SETTINGS = ("threshold", "temperature", "tuned", "window")


class _Seen(NamedTuple):
    """A window of a reading, and what the members say of it."""

    reading: Reading
    span: slice
    said: Said
    logit: float


class Gate:
    """The released gate, ready to judge."""

    def __init__(self, base: Path, release: Path) -> None:
        """`base` is the folder of the sentence model.

        Raises ReleaseError when the release is damaged or is for another base.
        """
        released = read_release(release, base=base / "model.safetensors")
        settings = released.settings(GUARD, _SETTINGS)
        self.version = released.version
        self.threshold: float = settings["threshold"]
        self._temperature: float = settings["temperature"]
        self._tuned: float = settings["tuned"]
        self._ensemble = load_ensemble(base, released.file(ADAPTER))
        self._reader = Reader(base, settings["window"])

    def judge(self, case: Case) -> Judgement:
        """Score the worst window of a message, in whatever way it is read."""
        seen = self._seen(case)
        worst = max(seen, key=lambda one: one.logit)
        score = self._score(worst.logit)
        typed = max(one.logit for one in seen if one.reading.is_typed)
        kinds = worst.said.kinds.softmax(0)
        scores = {
            ATTACK: score,
            **dict(zip(KINDS, (score * kinds / kinds.max()).tolist(), strict=True)),
            # Seen through a disguise alone: as typed it looks less than half as bad.
            OBFUSCATED: score if self._score(typed) < score / 2 else 0.0,
        }
        highlights: tuple[WeighedPiece, ...] = ()
        if case.highlights and worst.reading.ids:
            highlights = self._highlights(worst.reading.shown(worst.span))
        return Judgement(scores, self.threshold, self.version, highlights)

    def _seen(self, case: Case) -> list[_Seen]:
        """Read all windows of all readings; the same window only once."""
        readings = self._reader.readings(
            case.text, as_typed=case.as_typed, first_tokens=case.first_tokens
        )
        known: dict[tuple[int, ...], Said] = {}
        seen = []
        for reading in readings:
            for span in self._reader.spans(reading, as_typed=case.as_typed):
                row = with_marks(reading.ids[span])
                if row not in known:
                    known[row] = self._ensemble(row)
                logit = logit_of(known[row], self._tuned)
                seen.append(_Seen(reading, span, known[row], logit))
        return seen

    def _score(self, logit: float) -> float:
        return torch.tensor(logit / self._temperature).sigmoid().item()

    def _highlights(self, text: str) -> tuple[WeighedPiece, ...]:
        """Weigh the pieces of what is in one window."""

        def score_of(text: str) -> float:
            said = self._ensemble(self._reader.first(text))
            return self._score(logit_of(said, self._tuned))

        return weigh(pieces_of(text), lambda texts: [score_of(t) for t in texts])


def logit_of(said: Said, tuned: float) -> float:
    """Return the mean of the members' logits: the tuned one has the weight `tuned`."""
    return float((1 - tuned) * said.heads.mean() + tuned * said.tuned)
