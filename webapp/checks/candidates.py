"""How many tokens are left by a cut-off."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from webapp.checks.shared.limits import Limits, judge_count, numbered
from webapp.checks.shared.picking import At, lyon, percent, token_at
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
    failed,
    passed,
    ungraded,
)


@checks.register("candidates")
class Candidates(Check):
    """So many tokens are left to choose from at a place, by the cut-off top-p.

    They are the fewest likeliest tokens that together reach the share. Where the model
    is sure there is one; where anything goes there are many.
    """

    class Options(Limits, At):
        """The share, which token, and the limits."""

        top_p: Annotated[float, Field(gt=0, lt=1)] = Field(
            0.9, description="Share of the probability that is not cut off."
        )

    SHORT: ClassVar[str] = "exactly"
    aspects: ClassVar[tuple[Aspect, ...]] = ("probabilities",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"exactly": 3, "top_p": 0.9}, lyon(), "passed"),
        CheckExample({"exactly": 1, "top_p": 0.7}, lyon(), "passed"),
        CheckExample({"exactly": 1, "top_p": 0.8}, lyon(), "failed"),
        CheckExample({"max": 2, "top_p": 0.99}, lyon(), "failed"),
        CheckExample({"min": 3, "top_p": 0.99}, lyon(), "passed"),
        CheckExample({"min": 9, "top_p": 0.99}, lyon(), "ungraded"),
        CheckExample({"max": 1, "at": 2}, lyon(), "passed"),
        CheckExample({"max": 1}, lyon(()), "ungraded"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Add up the likeliest until the share is reached."""
        options = self._options
        token = token_at(options, subject)
        if isinstance(token, Outcome):
            return token
        share, total = percent(options.top_p), 0.0
        for count, chance in enumerate(token.likeliest, start=1):
            total += chance.probability
            # 0.7 + 0.2 is a little less than 0.9 in binary.
            if total >= options.top_p - 1e-9:
                seen = f"{numbered(count, 'token')} together reach {share}"
                return judge_count(options, count, seen)
        known = len(token.likeliest)
        said = f"The {known} likeliest tokens do not reach {share} together"
        if options.most is not None and options.most <= known:
            return failed(f"{said}: too many are left.")
        if options.most is None and options.fewest <= known + 1:
            return passed(f"{said}: more are left.")
        return ungraded(f"{said}, and nobody said how many do.")
