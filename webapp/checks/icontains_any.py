"""One of several texts is in it, in capitals or not."""

from __future__ import annotations

from typing import ClassVar

from webapp.checks.shared.containing import Several, judge_any
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
)


@checks.register("icontains-any")
class IcontainsAny(Check):
    """The text contains one of several words, in capitals or not.

    Single words are found whole: `lamps` is not `lamp`. Phrases are found anywhere.
    """

    class Options(Several):
        """What to look for."""

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": ["arr", "matey"]}, Subject("ARR, my friend"), "passed"),
        CheckExample(
            {"value": ["arr", "matey"]}, Subject("I carry barrels."), "failed"
        ),
        CheckExample({"value": ["lampzo", "treezo"]}, Subject("Treezo"), "passed"),
        CheckExample({"value": ["lampzo", "treezo"]}, Subject("treezoo"), "failed"),
        CheckExample({"value": ["lampzo"]}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for each text, whatever its case."""
        return judge_any(self._options, subject, ignore_case=True)
