"""The text ends with a certain text."""

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


@checks.register("ends-with")
class EndsWith(Check):
    """The text ends with a certain text.

    Spaces and line ends after it do not count. A single word is not found as a part of
    a longer one.
    """

    class Options(CheckOptions):
        """The end, and what may differ."""

        value: Wanted = Field(description="The end. It may hold {slots}.")
        ignore_case: bool = Field(
            False, description="Capital or small letters do not matter."
        )
        whole_word: bool | None = Field(
            None,
            description=(
                "Do not find it as a part of a longer word, as zo in lampzo. Without "
                "this option, single words are found as whole words."
            ),
        )

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "Over."}, Subject("I see it. Over. "), "passed"),
        CheckExample({"value": "Over."}, Subject("Over. And out."), "failed"),
        CheckExample({"value": "sea"}, Subject("a nice sea"), "passed"),
        CheckExample({"value": "sea"}, Subject("a nice Sea"), "failed"),
        CheckExample(
            {"value": "sea", "ignore_case": True}, Subject("a nice SEA"), "passed"
        ),
        CheckExample({"value": "ok"}, Subject("a book"), "failed"),
        CheckExample({"value": "zo", "whole_word": False}, Subject("lampzo"), "passed"),
        CheckExample({"value": "sea"}, Subject("a nice sea."), "failed"),
        CheckExample({"value": "?"}, Subject("Is it a sea?"), "passed"),
        CheckExample({"value": "sea"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look at the end."""
        if is_blank(subject.text):
            return nothing_there(subject)
        options, whole = self._options, self._options.whole_word
        if whole is None:
            whole = is_one_word(options.value)
        # Spaces around count in neither of the two.
        wanted = options.value.rstrip() or options.value
        for place in places(
            subject.text, wanted, ignore_case=options.ignore_case, whole=whole
        ):
            if is_blank(subject.text[place.end :]):
                return passed(
                    f"{subject.who} ends as it was asked to.", span=Span(*place)
                )
        return failed(f"{subject.who} ends in another way.")
