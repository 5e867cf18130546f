"""All of several texts are in it, letter for letter."""

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


@checks.register("contains-all")
class ContainsAll(Check):
    """The text contains all of several words or phrases.

    Single words are found whole: `lamps` is not `lamp`. Phrases are found anywhere.
    """

    class Options(Several):
        """What to look for."""

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": ["1", "2", "3"]}, Subject("1, 2, 3"), "passed"),
        CheckExample({"value": ["1", "2", "3"]}, Subject("1923"), "failed"),
        CheckExample({"value": ["cat", "dog"]}, Subject("A cat and a dog."), "passed"),
        CheckExample({"value": ["cat", "dog"]}, Subject("A cat and dogs."), "failed"),
        CheckExample({"value": ["cat", "dog"]}, Subject("A cat and a Dog."), "failed"),
        CheckExample({"value": ["cat", "dog"]}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for each text, capitals included."""
        return judge_all(self._options, subject, ignore_case=False)
