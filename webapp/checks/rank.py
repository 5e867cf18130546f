"""How far down the list the picked token was."""

from __future__ import annotations

from typing import ClassVar

from webapp.checks.shared.limits import Limits, judge_count
from webapp.checks.shared.picking import NEXT, At, lyon, token_at
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    PickedToken,
    Subject,
    checks,
    failed,
    passed,
    ungraded,
)


@checks.register("rank")
class Rank(Check):
    """The picked token was at a certain place among the likeliest ones.

    1 is the likeliest. What is not among those that the model named comes after them.
    """

    class Options(Limits, At):
        """The place, and which token."""

    SHORT: ClassVar[str] = "exactly"
    aspects: ClassVar[tuple[Aspect, ...]] = ("probabilities",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"exactly": 2}, lyon(), "passed"),
        CheckExample({"exactly": 1}, lyon(), "failed"),
        CheckExample({"min": 3}, lyon(), "failed"),
        CheckExample({"max": 2}, lyon(), "passed"),
        CheckExample({"exactly": 1, "at": 2}, lyon(), "passed"),
        CheckExample({"min": 3}, lyon((PickedToken(" a", 0.01, NEXT),)), "passed"),
        CheckExample({"max": 3}, lyon((PickedToken(" a", 0.01, NEXT),)), "failed"),
        CheckExample({"max": 9}, lyon((PickedToken(" a", 0.01, NEXT),)), "ungraded"),
        CheckExample({"max": 9}, lyon(()), "ungraded"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look it up in the list."""
        token = token_at(self._options, subject)
        if isinstance(token, Outcome):
            return token
        likeliest = [chance.text for chance in token.likeliest]
        if token.text in likeliest:
            rank = likeliest.index(token.text) + 1
            seen = f"The token is number {rank} of the likeliest ones"
            return judge_count(self._options, rank, seen)
        known = len(likeliest)
        said = f"The token is not among the {known} likeliest ones"
        most = self._options.most
        if most is not None and most <= known:
            return failed(f"{said}.")
        if most is None and self._options.fewest <= known + 1:
            return passed(f"{said}.")
        return ungraded(f"{said}; nobody said where it is.")
