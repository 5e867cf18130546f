"""A text is in it, letter for letter."""

from __future__ import annotations

from typing import ClassVar

from webapp.checks.shared.containing import One, judge_one
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
)


@checks.register("contains")
class Contains(Check):
    """The text contains a word or phrase.

    Words of one to three letters are found as whole words, because short ones are in
    too many others; longer texts anywhere, unless `whole_word` is set.
    """

    class Options(One):
        """What to look for."""

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "riverzo"}, Subject("It is riverzo."), "passed"),
        CheckExample(
            {"value": "riverzo", "whole_word": True},
            Subject("It is riverzoo."),
            "failed",
        ),
        CheckExample({"value": "Paris"}, Subject("PARIS"), "failed"),
        CheckExample({"value": "soo"}, Subject("I will do it soon."), "failed"),
        CheckExample({"value": "soo"}, Subject("They say: soo!"), "passed"),
        CheckExample(
            {"value": "soo", "whole_word": False},
            Subject("I will do it soon."),
            "passed",
        ),
        CheckExample({"value": "ok"}, Subject("This book"), "failed"),
        CheckExample({"value": "19"}, Subject("In 1923"), "failed"),
        CheckExample({"value": "3"}, Subject("It is 3.5 metres."), "failed"),
        CheckExample({"value": "3"}, Subject("There are 3."), "passed"),
        CheckExample({"value": "cafe"}, Subject("Un caf\u00e9"), "failed"),
        CheckExample({"value": "caf\u00e9"}, Subject("Un cafe\u0301."), "passed"),
        CheckExample({"value": "\n"}, Subject("one\ntwo"), "passed"),
        CheckExample({"value": "riverzo"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for the text, capitals included."""
        return judge_one(self._options, subject, ignore_case=False)
