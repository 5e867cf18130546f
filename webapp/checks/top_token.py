"""Which token was the likeliest."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from webapp.checks.shared.options import Wanted
from webapp.checks.shared.picking import At, lyon, percent, same_token, token_at
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
)


@checks.register("top-token")
class TopToken(Check):
    """A certain token is the likeliest one at its place, whichever was picked.

    Spaces around tokens do not matter.
    """

    class Options(At):
        """The token, and where."""

        value: Wanted = Field(description="The token. It may hold {slots}.")
        ignore_case: bool = Field(
            False, description="Capital or small letters do not matter."
        )

    SHORT: ClassVar[str] = "value"
    aspects: ClassVar[tuple[Aspect, ...]] = ("probabilities",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "Paris"}, lyon(), "passed"),
        CheckExample({"value": "Par"}, lyon(), "failed"),
        CheckExample({"value": "paris"}, lyon(), "failed"),
        CheckExample({"value": "paris", "ignore_case": True}, lyon(), "passed"),
        CheckExample({"value": "Lyon"}, lyon(), "failed"),
        CheckExample({"value": ".", "at": 2}, lyon(), "passed"),
        CheckExample({"value": ".", "at": 3}, lyon(), "failed"),
        CheckExample({"value": "Paris"}, lyon(()), "ungraded"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Compare with the first of the likeliest."""
        token = token_at(self._options, subject)
        if isinstance(token, Outcome):
            return token
        best = token.likeliest[0]
        said = f"The likeliest token there has {percent(best.probability)}"
        if same_token(
            best.text, self._options.value, ignore_case=self._options.ignore_case
        ):
            return passed(f"{said}, and is the one that was looked for.")
        return failed(f"{said}, and is another than the one that was looked for.")
