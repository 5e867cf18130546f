"""One of several texts is in it, letter for letter."""

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


@checks.register("contains-any")
class ContainsAny(Check):
    """The text contains at least one of several words or phrases.

    Single words are found whole: `lamps` is not `lamp`. Phrases are found anywhere.
    """

    class Options(Several):
        """What to look for."""

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": ["lamp", "tree"]}, Subject("A tree."), "passed"),
        CheckExample(
            {"value": ["lamp", "tree"]}, Subject("Lamps and trees."), "failed"
        ),
        CheckExample({"value": ["lamp", "tree"]}, Subject("The Tree"), "failed"),
        CheckExample(
            {"value": ["lamp"], "whole_word": False}, Subject("two lamps"), "passed"
        ),
        CheckExample({"value": "ok"}, Subject("a book"), "failed"),
        CheckExample({"value": ["tell me"]}, Subject("tell men"), "passed"),
        CheckExample(
            {"value": ["tell me"], "whole_word": True}, Subject("tell men"), "failed"
        ),
        CheckExample({"value": ["lamp"]}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for each text, capitals included."""
        return judge_any(self._options, subject, ignore_case=False)
