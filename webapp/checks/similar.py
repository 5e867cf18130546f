"""The text means nearly the same as another."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from typing import Annotated, ClassVar

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions, SeveralWanted
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
    failed,
    passed,
)
from webapp.text.characters import is_blank

# A small embedding model reads 256 tokens and never sees what comes after them. With
# its letters and accents taken apart, a text has no more tokens than characters.
PIECE_CHARS = 250


@checks.register("similar")
class Similar(Check):
    """The text means nearly the same as a sample.

    Nearness in meaning is not truth: "we meet on Tuesday" and "we do not meet on
    Tuesday" are nearer than most fair paraphrases, and "The answer is 4" and "The
    answer is 5" are nearer still. So it may not be the only check of a panel.
    """

    class Options(CheckOptions):
        """What to compare with, and how near is near enough."""

        value: SeveralWanted = Field(
            description="A sample, or a list of which the nearest counts."
        )
        threshold: Annotated[float, Field(gt=0, le=1)] = Field(
            0.75, description="Cosine from which it is near enough: 1 is the same."
        )

    SHORT: ClassVar[str] = "value"
    asks: ClassVar[bool] = True
    decides: ClassVar[bool] = False
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample(
            {"value": "the club meets on Tuesday"},
            Subject("The club meets on Tuesday."),
            "passed",
        ),
        # It says the contrary, and is as near as can be: this is what it cannot do.
        CheckExample(
            {"value": "the club meets on Tuesday at five"},
            Subject("The club never meets on Tuesday at five."),
            "passed",
        ),
        CheckExample(
            {"value": "the club meets on Tuesday", "threshold": 0.9},
            Subject("Bread needs flour."),
            "failed",
        ),
        CheckExample(
            {"value": ["flour and water", "the club meets on Tuesday"]},
            Subject("flour and water"),
            "passed",
        ),
        CheckExample({"value": "the club meets on Tuesday"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Compare with each sample; the nearest counts."""
        if is_blank(subject.text):
            return nothing_there(subject)
        texts = [_pieces(text) for text in (subject.text, *self._options.value)]
        vectors = ask.embed([piece for pieces in texts for piece in pieces])
        means = []
        for pieces in texts:
            means.append(_mean(vectors[: len(pieces)]))
            vectors = vectors[len(pieces) :]
        seen, *samples = means
        nearness = max(_cosine(seen, sample) for sample in samples)
        score = max(0.0, min(1.0, nearness))
        needed = self._options.threshold
        # Two unit vectors of the same text differ from cosine 1 by rounding.
        if score >= needed - 1e-6:
            return passed(f"{subject.who} is near in meaning: {_percent(score)}.")
        return failed(
            f"{subject.who} is not near enough in meaning: {_percent(score)}; "
            f"{_percent(needed)} is needed.",
            score=score,
        )


def _pieces(text: str) -> list[str]:
    """Cut a text so that the model reads all of it."""
    parts = textwrap.wrap(unicodedata.normalize("NFD", text), PIECE_CHARS)
    return [unicodedata.normalize("NFC", part) for part in parts or [text]]


def _mean(vectors: list[list[float]]) -> list[float]:
    total = [sum(column) for column in zip(*vectors, strict=True)]
    length = math.sqrt(sum(x * x for x in total)) or 1.0
    return [x / length for x in total]


def _cosine(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def _percent(share: float) -> str:
    return f"{math.floor(share * 100 + 1e-6)} of 100"
