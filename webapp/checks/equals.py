"""The whole text is a certain text."""

from __future__ import annotations

import string
from typing import ClassVar, Final

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions, Wanted
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
    failed,
    passed,
)
from webapp.text.characters import is_blank
from webapp.text.finding import composed, find
from webapp.text.words import fold

_AROUND: Final = string.whitespace + "\"'“”‘’«»*_`.,;:!?…()[]"


@checks.register("equals")
class Equals(Check):
    """The text is a certain text, and nothing more.

    Spaces and line ends around it do not count.
    """

    class Options(CheckOptions):
        """The text, and what may differ."""

        value: Wanted = Field(description="The text. It may hold {slots}.")
        loose: bool = Field(
            False,
            description=(
                "Capital or small letters, the number of spaces, and punctuation "
                "around the text do not matter."
            ),
        )

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "riverzo"}, Subject(" riverzo\n"), "passed"),
        CheckExample({"value": "riverzo"}, Subject("riverzoo"), "failed"),
        CheckExample({"value": "riverzo"}, Subject("riverzo."), "failed"),
        CheckExample({"value": "riverzo"}, Subject("Riverzo"), "failed"),
        CheckExample({"value": "ok"}, Subject("book"), "failed"),
        CheckExample({"value": "Paris"}, Subject("It is Paris."), "failed"),
        CheckExample({"value": "caf\u00e9"}, Subject("cafe\u0301"), "passed"),
        CheckExample({"value": "café"}, Subject("cafe"), "failed"),
        CheckExample({"value": "Paris", "loose": True}, Subject('"PARIS."'), "passed"),
        CheckExample(
            {"value": "new york", "loose": True}, Subject("New  York!"), "passed"
        ),
        CheckExample(
            {"value": "Paris", "loose": True}, Subject("Paris, France"), "failed"
        ),
        CheckExample({"value": "a{b}"}, Subject("a{b}"), "passed"),
        CheckExample({"value": "?!", "loose": True}, Subject("..."), "failed"),
        CheckExample({"value": "riverzo"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Compare, and say how near it was without saying what was wanted."""
        if is_blank(subject.text):
            return nothing_there(subject)
        seen, wanted = (composed(t).strip() for t in (subject.text, self._value))
        if seen == wanted or (self._options.loose and _loose(seen) == _loose(wanted)):
            return passed(f"{subject.who} is exactly what was looked for.")
        if fold(seen) == fold(wanted):
            return failed(
                f"{subject.who} comes close: only capital and small letters are "
                "different."
            )
        if _loose(seen) == _loose(wanted):
            return failed(
                f"{subject.who} comes close: only punctuation, spaces or capital "
                "letters are different."
            )
        if find(seen, wanted, ignore_case=self._options.loose, whole=True):
            return failed(f"{subject.who} has more in it than what was looked for.")
        return failed(f"{subject.who} is not what was looked for.")

    @property
    def _value(self) -> str:
        return self._options.value


def _loose(text: str) -> str:
    """Return a text as it is loosely compared; marks alone stay as they are."""
    folded = " ".join(fold(text).split())
    return folded.strip(_AROUND) or folded
