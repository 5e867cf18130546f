"""Fewest, most or an exact number of something that is counted."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import Outcome, failed, passed

Count = Annotated[StrictInt, Field(ge=0, le=100_000)]


class Limits(CheckOptions):
    """At least one limit. Nothing at all is too few, unless a limit says 0."""

    exactly: Count | None = Field(None, description="This many, no more and no less.")
    min: Count | None = Field(
        None, description="Fewest. Without it, nothing at all is too few; 0 allows it."
    )
    max: Count | None = Field(None, description="Most.")

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if self.exactly is None and self.min is None and self.max is None:
            raise ValueError("give a number, or min, or max")
        if self.exactly is not None and (self.min, self.max) != (None, None):
            raise ValueError("give a number, or min and max, but not both")
        if self.max is not None and self.fewest > self.max:
            raise ValueError("max is smaller than min; nothing at all needs min: 0")
        return self

    @property
    def fewest(self) -> int:
        """The fewest that pass."""
        if self.exactly is not None:
            return self.exactly
        return 1 if self.min is None else self.min

    @property
    def most(self) -> int | None:
        """The most that pass; None if any number does."""
        return self.max if self.exactly is None else self.exactly


def numbered(count: int, one: str, many: str = "") -> str:
    """Return `1 word` or `3 words`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def judge_count(limits: Limits, count: int, seen: str) -> Outcome:
    """Compare a number with its limits; `seen` is the beginning of the sentence.

    The score of too few or too many grows towards 1 the nearer the number is.
    """
    if count < limits.fewest:
        score = count / limits.fewest
        return failed(f"{seen}; {_needed(limits)}.", score=score, count=count)
    if limits.most is not None and count > limits.most:
        score = limits.most / count
        return failed(f"{seen}; {_needed(limits)}.", score=score, count=count)
    return passed(f"{seen}.", count=count)


def _needed(limits: Limits) -> str:
    few, most = limits.fewest, limits.most
    if limits.exactly is not None:
        return f"exactly {few:,} {_is(few)} needed"
    if most is None:
        return f"at least {few:,} {_is(few)} needed"
    if limits.min is None:
        return f"at most {most:,} {_is(most)} allowed"
    return f"from {few:,} to {most:,} are allowed"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
