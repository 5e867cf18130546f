"""How many sentences a text has."""

from __future__ import annotations

from typing import ClassVar

from webapp.checks.shared.limits import Limits, judge_count, numbered
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
)
from webapp.text.words import count_sentences


@checks.register("sentence-count")
class SentenceCount(Check):
    """The text has so many sentences.

    A sentence ends with a full stop or the like before a space, or with its line. Short
    forms such as `Dr.` and numbers such as 3.5 end none.
    """

    class Options(Limits):
        """How many."""

    SHORT: ClassVar[str] = "exactly"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"exactly": 1}, Subject("It is Paris."), "passed"),
        CheckExample({"exactly": 1}, Subject("It is Paris. I am sure."), "failed"),
        CheckExample({"exactly": 1}, Subject("Dr. Lee paid 3.50."), "passed"),
        CheckExample({"max": 2}, Subject("One! Two? Three"), "failed"),
        CheckExample({"min": 2}, Subject("It is well known... and old."), "failed"),
        CheckExample(
            {"min": 2}, Subject("\u4f60\u597d\u3002\u518d\u89c1\u3002"), "passed"
        ),
        CheckExample({"max": 3}, Subject(""), "failed"),
        CheckExample({"max": 3}, Subject("?!"), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count sentences."""
        count = count_sentences(subject.text)
        seen = f"{subject.who} has {numbered(count, 'sentence')}"
        return judge_count(self._options, count, seen)
