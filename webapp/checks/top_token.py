"""Which token was the likeliest."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from webapp.checks.shared.options import Wanted
from webapp.checks.shared.picking import At, percent, same_token, token_at
from webapp.plugins.check import (
    Aspect,
    Chance,
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
)

_NEXT = (Chance(" Paris", 0.77), Chance(" Lyon", 0.12), Chance(" Par", 0.04))
_TOKENS = (
    PickedToken(" Lyon", 0.12, _NEXT),
    PickedToken(".", 0.9, (Chance(".", 0.9),)),
)


def _subject(tokens: tuple[PickedToken, ...] = _TOKENS) -> Subject:
    reply = "".join(token.text for token in tokens)
    return Subject("", sample=Sample(reply, tokens=tokens))


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
        CheckExample({"value": "Paris"}, _subject(), "passed"),
        CheckExample({"value": "Par"}, _subject(), "failed"),
        CheckExample({"value": "paris"}, _subject(), "failed"),
        CheckExample({"value": "paris", "ignore_case": True}, _subject(), "passed"),
        CheckExample({"value": "Lyon"}, _subject(), "failed"),
        CheckExample({"value": ".", "at": 2}, _subject(), "passed"),
        CheckExample({"value": ".", "at": 3}, _subject(), "failed"),
        CheckExample({"value": "Paris"}, _subject(()), "ungraded"),
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
