"""A text is in it, in capitals or not."""

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


@checks.register("icontains")
class Icontains(Check):
    """The text contains a word or phrase, in capitals or not.

    Words of one to three letters are found as whole words, because short ones are in
    too many others; longer texts anywhere, unless `whole_word` is set.
    """

    class Options(One):
        """What to look for."""

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "Paris"}, Subject("PARIS!"), "passed"),
        CheckExample(
            {"value": "riverzo", "whole_word": True}, Subject("Riverzoo"), "failed"
        ),
        CheckExample({"value": "OK"}, Subject("This book"), "failed"),
        CheckExample({"value": "OK"}, Subject("ok, then"), "passed"),
        CheckExample({"value": "stra\u00dfe"}, Subject("HAUPTSTRASSE 5"), "passed"),
        CheckExample({"value": "soo"}, Subject("Soon."), "failed"),
        CheckExample({"value": "lantern"}, Subject("lan\u00adtern"), "passed"),
        CheckExample({"value": "Paris"}, Subject(" \n"), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for the text, whatever its case."""
        return judge_one(self._options, subject, ignore_case=True)
