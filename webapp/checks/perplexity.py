"""How surprised the model was by its own reply."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    PickedToken,
    Sample,
    Subject,
    checks,
    failed,
    passed,
    ungraded,
)
from webapp.text.characters import is_blank

# A probability that was rounded to 0 would make every reply infinitely surprising.
_LEAST: Final = 1e-10

Choices = Annotated[float, Field(gt=1, le=100_000)]


def _subject(*probabilities: float) -> Subject:
    tokens = tuple(PickedToken(" a", p) for p in probabilities)
    return Subject("", sample=Sample(" a" * len(tokens) or " a", tokens=tokens))


@checks.register("perplexity")
class Perplexity(Check):
    """The reply has so much perplexity: among how many tokens the model hesitated.

    It is 1 where each token was certain, and 4 where each had a quarter, on average.
    """

    class Options(CheckOptions):
        """At least one limit."""

        max: Choices | None = Field(None, description="Highest perplexity; over 1.")
        min: Choices | None = Field(None, description="Lowest perplexity; over 1.")

        @model_validator(mode="after")
        def _limits_fit(self) -> Self:
            if self.min is None and self.max is None:
                raise ValueError("give max or min")
            if self.min is not None and self.max is not None and self.min > self.max:
                raise ValueError("max is smaller than min")
            return self

    SHORT: ClassVar[str] = "max"
    aspects: ClassVar[tuple[Aspect, ...]] = ("probabilities",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"max": 2.0}, _subject(0.9, 0.8), "passed"),
        CheckExample({"max": 2.0}, _subject(0.9, 0.1), "failed"),
        CheckExample({"min": 3.0}, _subject(0.25, 0.25), "passed"),
        CheckExample({"min": 4.1}, _subject(0.25, 0.25), "failed"),
        CheckExample({"max": 2.0}, _subject(0.0), "failed"),
        CheckExample({"max": 2.0}, _subject(), "ungraded"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Take the mean over the picked tokens."""
        sample, options = subject.sample, self._options
        if sample is None or not sample.tokens:
            return ungraded("The model did not say how probable its tokens were.")
        if is_blank(sample.reply):
            return nothing_there(subject)
        bits = [-math.log(max(token.probability, _LEAST)) for token in sample.tokens]
        value = math.exp(sum(bits) / len(bits))
        said = f"On average the model hesitated among {value:,.1f} tokens"
        # Rounding in logarithms must not decide.
        if options.max is not None and value > options.max * (1 + 1e-9):
            return failed(
                f"{said}; at most {options.max:,g} are allowed.",
                score=options.max / value,
            )
        if options.min is not None and value < options.min * (1 - 1e-9):
            return failed(
                f"{said}; at least {options.min:,g} are needed.",
                score=value / options.min,
            )
        return passed(f"{said}.")
