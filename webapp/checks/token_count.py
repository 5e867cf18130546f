"""How many tokens a text is for the model of the panel."""

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


@checks.register("token-count")
class TokenCount(Check):
    """The text is so many tokens for the model of the panel.

    The tokenizer of that model counts; nothing is generated.
    """

    class Options(Limits):
        """How many."""

    SHORT: ClassVar[str] = "exactly"
    asks: ClassVar[bool] = True
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"exactly": 1}, Subject("lantern"), "passed"),
        CheckExample({"exactly": 1}, Subject("two lanterns"), "failed"),
        CheckExample({"min": 3}, Subject("one two three"), "passed"),
        CheckExample({"max": 3}, Subject("1. A, B"), "failed"),
        CheckExample({"max": 3}, Subject(""), "failed"),
        CheckExample({"min": 0, "max": 3}, Subject(""), "passed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count what the tokenizer makes of it."""
        # A text of spaces has tokens, and still says nothing.
        is_empty = is_blank(subject.text)
        count = 0 if is_empty else len(ask.pieces(subject.text, model=subject.model))
        seen = f"{subject.who} has {numbered(count, 'token')}"
        return judge_count(self._options, count, seen)
