"""How probable a token was."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from webapp.checks.shared.options import Wanted
from webapp.checks.shared.picking import At, lyon, percent, same_token, token_at
from webapp.plugins.check import (
    Aspect,
    Chance,
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

Share = Annotated[float, Field(gt=0, lt=1)]


@checks.register("probability")
class Probability(Check):
    """A token was as probable as asked for, whichever was picked.

    Without a token the likeliest one counts: so `min` asks for a place where the model
    is sure, and `max` for one where it is not. Spaces around tokens do not matter; the
    probabilities of all forms of the token are added.
    """

    class Options(At):
        """The token, where, and the limits."""

        min: Share | None = Field(None, description="Least probability, as 0.7.")
        max: Share | None = Field(None, description="Highest probability.")
        token: Wanted | None = Field(
            None, description="The token. Empty: the likeliest. It may hold {slots}."
        )
        ignore_case: bool = Field(
            False, description="Capital or small letters do not matter."
        )

        @model_validator(mode="after")
        def _limits_fit(self) -> Self:
            if self.min is None and self.max is None:
                raise ValueError("give min or max")
            if self.min is not None and self.max is not None and self.min > self.max:
                raise ValueError("max is smaller than min")
            return self

    SHORT: ClassVar[str] = "min"
    aspects: ClassVar[tuple[Aspect, ...]] = ("probabilities",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"min": 0.7}, lyon(), "passed"),
        CheckExample({"min": 0.78}, lyon(), "failed"),
        CheckExample({"max": 0.1}, lyon(), "failed"),
        CheckExample({"token": "Paris", "min": 0.7}, lyon(), "passed"),
        CheckExample({"token": "paris", "min": 0.7}, lyon(), "failed"),
        CheckExample({"token": "Par", "min": 0.7}, lyon(), "failed"),
        CheckExample({"token": "Lyon", "max": 0.2}, lyon(), "passed"),
        CheckExample({"token": "Rome", "max": 0.1}, lyon(), "passed"),
        CheckExample({"token": "Rome", "min": 0.1}, lyon(), "failed"),
        CheckExample({"token": "Rome", "max": 0.01}, lyon(), "ungraded"),
        CheckExample({"min": 0.8, "at": 2}, lyon(), "passed"),
        CheckExample({"min": 0.1}, lyon(()), "ungraded"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Compare with the limits."""
        picked = token_at(self._options, subject)
        if isinstance(picked, Outcome):
            return picked
        token = self._options.token
        if token is None:
            best = picked.likeliest[0].probability
            return self._compare(best, "The likeliest token there")
        ignore_case = self._options.ignore_case
        chances = {*picked.likeliest, Chance(picked.text, picked.probability)}
        found = {
            chance.text: chance.probability
            for chance in chances
            if same_token(chance.text, token, ignore_case=ignore_case)
        }
        if found:
            return self._compare(min(1.0, sum(found.values())), "The token")
        return self._unlisted(min(chance.probability for chance in picked.likeliest))

    def _compare(self, probability: float, what: str) -> Outcome:
        options, said = self._options, f"{what} has {percent(probability)}"
        if options.min is not None and probability < options.min:
            return failed(
                f"{said}; at least {percent(options.min)} is needed.",
                score=probability / options.min,
            )
        if options.max is not None and probability > options.max:
            return failed(
                f"{said}; at most {percent(options.max)} is allowed.",
                score=options.max / probability,
            )
        return passed(f"{said}.")

    def _unlisted(self, most: float) -> Outcome:
        """Judge a token that is less likely than all that the model named."""
        options = self._options
        said = (
            f"The token is not among the likeliest ones: it has {percent(most)} at most"
        )
        if options.min is not None and most <= options.min:
            return failed(f"{said}; at least {percent(options.min)} is needed.")
        if options.min is None and options.max is not None and most <= options.max:
            return passed(f"{said}.")
        return ungraded(f"{said}, and nobody said how much.")
