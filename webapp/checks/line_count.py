"""How many lines a text has."""

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
from webapp.text.characters import is_blank


@checks.register("line-count")
class LineCount(Check):
    """The text has so many lines.

    Lines without anything to see in them do not count.
    """

    class Options(Limits):
        """How many."""

    SHORT: ClassVar[str] = "exactly"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"max": 2}, Subject("cat -> catzo\n\n"), "passed"),
        CheckExample({"max": 2}, Subject("a\nb\nc"), "failed"),
        CheckExample({"min": 3}, Subject("a\n\nb\n \nc\n"), "passed"),
        CheckExample({"min": 3}, Subject("a\n\n\n\nb"), "failed"),
        CheckExample({"exactly": 1}, Subject("one line, however long it is"), "passed"),
        CheckExample({"exactly": 1}, Subject("one\r\ntwo"), "failed"),
        CheckExample({"max": 2}, Subject("\n\n"), "failed"),
        CheckExample({"exactly": 0}, Subject(""), "passed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count lines."""
        count = sum(not is_blank(line) for line in subject.text.splitlines())
        seen = f"{subject.who} has {numbered(count, 'line')}"
        return judge_count(self._options, count, seen)
