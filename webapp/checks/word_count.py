"""How many words a text has."""

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
from webapp.text.words import count_words


@checks.register("word-count")
class WordCount(Check):
    """The text has so many words.

    A word is what stands between spaces and has a letter or digit in it: `don't` is one
    word, and an arrow is none. In Chinese, Thai and the like each character is one.
    """

    class Options(Limits):
        """How many."""

    SHORT: ClassVar[str] = "exactly"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"min": 5}, Subject("one two three four five"), "passed"),
        CheckExample({"min": 5}, Subject("one two three four"), "failed"),
        CheckExample({"max": 5}, Subject("Hello there."), "passed"),
        CheckExample({"max": 5}, Subject(""), "failed"),
        CheckExample({"min": 0, "max": 5}, Subject(""), "passed"),
        CheckExample({"exactly": 3}, Subject("cat -> catzo, don't"), "passed"),
        CheckExample({"exactly": 3}, Subject("one two three four"), "failed"),
        CheckExample({"exactly": 1}, Subject("Paris."), "passed"),
        CheckExample({"exactly": 1}, Subject("well-known"), "passed"),
        CheckExample({"exactly": 2}, Subject("\u4f60\u597d"), "passed"),
        CheckExample({"max": 2, "min": 1}, Subject("..."), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count words."""
        count = count_words(subject.text)
        seen = f"{subject.who} has {numbered(count, 'word')}"
        return judge_count(self._options, count, seen)
