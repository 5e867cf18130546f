"""A pattern is found in the text."""

from __future__ import annotations

from typing import Annotated, ClassVar

import re2
from pydantic import Field, field_validator

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions, with_sample
from webapp.checks.shared.patterns import compile_pattern, why_not
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Span,
    Subject,
    checks,
    failed,
    passed,
)
from webapp.text.characters import is_blank
from webapp.text.finding import shown


@checks.register("regex")
class Regex(Check):
    """The text matches a regular expression.

    RE2 reads a text once, whatever the pattern: its time grows with the length of the
    text, never faster. Look-around and back-references are the price of that.
    """

    class Options(CheckOptions):
        """The pattern, and how the text is read."""

        value: Annotated[str, Field(min_length=1, max_length=500)] = Field(
            description=(
                "Regular expression in RE2 syntax, found anywhere in the text. ^ and $ "
                "are its ends, or those of each line after (?m); \\b is the edge of a "
                "word. It may hold {slots}."
            )
        )
        ignore_case: bool = Field(
            False, description="Capital or small letters do not matter."
        )

        @field_validator("value")
        @classmethod
        def _pattern_compiles(cls, pattern: str) -> str:
            # What is filled in later is one letter now: {word} is no pattern yet.
            sample = with_sample(pattern, "x")
            try:
                compiled = compile_pattern(sample, True)
            except re2.error as error:
                raise ValueError(f'"{pattern}": {why_not(error)}') from None
            if compiled.search("") is not None and compiled.search(" ") is not None:
                raise ValueError(f'"{pattern}" matches every text')
            return pattern

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": r"\briverzo\b"}, Subject("It is riverzo!"), "passed"),
        CheckExample({"value": r"\briverzo\b"}, Subject("It is riverzoo!"), "failed"),
        CheckExample({"value": r"\bsoo+\b"}, Subject("See you soon."), "failed"),
        CheckExample({"value": r"1.*2.*3"}, Subject("1, 2, 3"), "passed"),
        CheckExample({"value": r"1\D+2\D+3"}, Subject("1923"), "failed"),
        CheckExample({"value": "paris"}, Subject("Paris"), "failed"),
        CheckExample(
            {"value": "paris", "ignore_case": True}, Subject("PARIS"), "passed"
        ),
        CheckExample({"value": r"^\d$"}, Subject("7\n"), "passed"),
        CheckExample({"value": r"^\d$"}, Subject("It is 7"), "failed"),
        CheckExample({"value": r"(?m)^2\."}, Subject("1. a\n2. b"), "passed"),
        CheckExample({"value": "caf\u00e9"}, Subject("un cafe\u0301"), "passed"),
        CheckExample({"value": r"^(a+)+$"}, Subject("a" * 500 + "!"), "failed"),
        CheckExample({"value": r".*\w"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._pattern = compile_pattern(options.value, options.ignore_case)

    @staticmethod
    def quoted(value: str) -> str:
        """Return a filled-in value as a pattern for just this text."""
        return str(re2.escape(value))

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Search for the pattern; it is not named, since it may hold the answer."""
        if is_blank(subject.text):
            return nothing_there(subject)
        seen = shown(subject.text)
        # Spaces around the text are not in the way of ^ and $.
        body = seen.text.strip()
        offset = seen.text.index(body)
        match = self._pattern.search(body)
        if match is None:
            return failed(
                f"{subject.who} is not written in the form that is asked for."
            )
        return passed(
            f"{subject.who} is written in the form that was looked for.",
            span=Span(*seen.place(match.start() + offset, match.end() + offset)),
        )
