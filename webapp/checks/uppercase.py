"""All letters of the text are capitals."""

from __future__ import annotations

from typing import ClassVar, Final

import regex

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.limits import numbered
from webapp.checks.shared.options import CheckOptions
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

_SMALL: Final = regex.compile(r"\p{Lowercase}[\p{Lowercase}\p{M}]*")
_CAPITAL: Final = regex.compile(r"\p{Uppercase}")


@checks.register("uppercase")
class Uppercase(Check):
    """All letters of the text are capitals.

    Digits, marks and scripts without capitals do not count, but one capital there is.
    """

    class Options(CheckOptions):
        """There are none."""

    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({}, Subject("AHOY, 3 SHIPS!"), "passed"),
        CheckExample({}, Subject("AHOY, ship!"), "failed"),
        CheckExample({}, Subject("AHOy"), "failed"),
        CheckExample({}, Subject("123!"), "failed"),
        CheckExample({}, Subject("É 你"), "passed"),
        CheckExample({}, Subject("STRAßE"), "failed"),
        CheckExample({}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        """There is nothing to set."""

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for small letters."""
        if is_blank(subject.text):
            return nothing_there(subject)
        small = list(_SMALL.finditer(subject.text))
        if small:
            count = sum(len(match[0]) for match in small)
            capitals = len(_CAPITAL.findall(subject.text))
            return failed(
                f"{subject.who} has {numbered(count, 'small letter')} in it.",
                score=capitals / (capitals + count),
                span=Span(*small[0].span()),
                count=count,
            )
        if _CAPITAL.search(subject.text) is None:
            return failed(f"{subject.who} has no capital letters.", count=0)
        return passed(f"All letters in {subject.called} are capitals.", count=0)
