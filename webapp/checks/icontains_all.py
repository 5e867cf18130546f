"""All of several texts are in it, in capitals or not."""

from __future__ import annotations

from typing import ClassVar

from webapp.checks.shared.containing import Several, judge_all
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
)


@checks.register("icontains-all")
class IcontainsAll(Check):
    """The text contains all of several words, in capitals or not.

    Single words are found whole: `lamps` is not `lamp`. Phrases are found anywhere.
    """

    class Options(Several):
        """What to look for."""

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": ["cat", "dog"]}, Subject("A Cat. A DOG."), "passed"),
        CheckExample(
            {"value": ["cat", "dog"]}, Subject("A catalogue of dogs."), "failed"
        ),
        CheckExample(
            {"value": ["cat", "good dog"]}, Subject("Good dogs like a cat."), "passed"
        ),
        CheckExample({"value": ["cat"]}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for each text, whatever its case."""
        return judge_all(self._options, subject, ignore_case=True)
