"""How many different replies a run has."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import re2
from pydantic import Field, field_validator

from webapp.checks.shared.limits import Limits, judge_count, numbered
from webapp.checks.shared.options import with_sample
from webapp.checks.shared.patterns import compile_pattern, why_not
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Sample,
    Subject,
    checks,
    ungraded,
)
from webapp.text.finding import composed
from webapp.text.words import words


def _subject(*replies: str) -> Subject:
    return Subject("", samples=tuple(map(Sample, replies)))


@checks.register("distinct")
class Distinct(Check):
    """The replies of the run are so many different ones.

    Case, spaces and punctuation make no reply different, and empty ones do not count.
    """

    class Options(Limits):
        """How many, and what of each reply counts."""

        pattern: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
            None,
            description=(
                "Regular expression in RE2 syntax: only what it first finds in a reply "
                "is compared, such as a year by \\d{4}. Empty: the whole reply."
            ),
        )

        @field_validator("pattern")
        @classmethod
        def _pattern_compiles(cls, pattern: str | None) -> str | None:
            if pattern is not None:
                try:
                    compile_pattern(with_sample(pattern, "x"), False)
                except re2.error as error:
                    raise ValueError(f'"{pattern}": {why_not(error)}') from None
            return pattern

    SHORT: ClassVar[str] = "exactly"
    aspects: ClassVar[tuple[Aspect, ...]] = ("runs",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"min": 2}, _subject("In 1342.", "In 1945."), "passed"),
        CheckExample({"min": 2}, _subject("In 1342.", "in 1342"), "failed"),
        CheckExample({"min": 2}, _subject("Drago", "Dragon", ""), "passed"),
        CheckExample({"min": 2}, _subject("Drago", "", " "), "failed"),
        CheckExample({"max": 1}, _subject("Ember", "Ember!", "EMBER"), "passed"),
        CheckExample({"max": 1}, _subject("Ember", "Embers"), "failed"),
        CheckExample(
            {"exactly": 1, "pattern": r"\d{4}"},
            _subject("It was in 1342.", "1342, I think.", "Long ago."),
            "passed",
        ),
        CheckExample({"max": 1}, _subject("", ""), "failed"),
        CheckExample({"min": 2}, _subject(), "ungraded"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options
        pattern = options.pattern
        self._pattern: Any = compile_pattern(pattern, False) if pattern else None

    @staticmethod
    def quoted(value: str) -> str:
        """Return a filled-in value as a pattern for just this text."""
        return str(re2.escape(value))

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count the different ones."""
        if not subject.samples:
            return ungraded("There are no replies to compare yet.")
        different = {tuple(words(self._part(s.reply))) for s in subject.samples} - {()}
        count = len(different)
        seen = f"The run has {numbered(count, 'different reply', 'different replies')}"
        return judge_count(self._options, count, seen)

    def _part(self, reply: str) -> str:
        if self._pattern is None:
            return reply
        match = self._pattern.search(composed(reply))
        return match[0] if match is not None else ""
