"""The text starts with a certain text."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions, Wanted
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
from webapp.text.finding import is_one_word, places


@checks.register("starts-with")
class StartsWith(Check):
    """The text starts with a certain text.

    Spaces and line ends before it do not count. A single word is not found as a part of
    a longer one.
    """

    class Options(CheckOptions):
        """The beginning, and what may differ."""

        value: Wanted = Field(description="The beginning. It may hold {slots}.")
        ignore_case: bool = Field(
            False, description="Capital or small letters do not matter."
        )
        whole_word: bool | None = Field(
            None,
            description=(
                "Do not find it as a part of a longer word, as Yes in Yesterday. "
                "Without this option, single words are found as whole words."
            ),
        )

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "Yes"}, Subject(" Yes, indeed."), "passed"),
        CheckExample({"value": "Yes"}, Subject("Yesterday"), "failed"),
        CheckExample({"value": "Yes"}, Subject("yes"), "failed"),
        CheckExample({"value": "Yes", "ignore_case": True}, Subject("YES!"), "passed"),
        CheckExample({"value": "Yes"}, Subject("Oh Yes"), "failed"),
        CheckExample({"value": "1."}, Subject("1. Apples"), "passed"),
        CheckExample({"value": "1."}, Subject("10. Apples"), "failed"),
        CheckExample(
            {"value": "Yes", "whole_word": False}, Subject("Yesterday"), "passed"
        ),
        CheckExample({"value": "e"}, Subject("e\u0301t\u00e9"), "failed"),
        CheckExample({"value": "Yes"}, Subject("\n"), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look at the beginning."""
        if is_blank(subject.text):
            return nothing_there(subject)
        options, whole = self._options, self._options.whole_word
        if whole is None:
            whole = is_one_word(options.value)
        # Spaces around count in neither of the two.
        wanted = options.value.lstrip() or options.value
        for place in places(
            subject.text, wanted, ignore_case=options.ignore_case, whole=whole
        ):
            if is_blank(subject.text[: place.start]):
                return passed(
                    f"{subject.who} starts as it was asked to.", span=Span(*place)
                )
        return failed(f"{subject.who} starts in another way.")
