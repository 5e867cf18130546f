"""The reply refuses what it was asked for."""

from __future__ import annotations

from typing import ClassVar

from webapp.checks.shared.containing import nothing_there
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
from webapp.text.refusals import find_refusal


@checks.register("is-refusal")
class IsRefusal(Check):
    """The text refuses what it was asked for.

    It goes by phrases, which are listed in `webapp/text/refusals.py`.
    """

    class Options(CheckOptions):
        """There are none."""

    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({}, Subject("I'm sorry, but I can't help with that."), "passed"),
        CheckExample({}, Subject("I’m unable to tell you."), "passed"),
        CheckExample({}, Subject("I am sorry to hear that."), "failed"),
        CheckExample({}, Subject("I can't recommend this book enough."), "failed"),
        CheckExample({}, Subject("The battle was in 1342."), "failed"),
        CheckExample({}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        """There is nothing to set."""

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look for the phrases."""
        if is_blank(subject.text):
            return nothing_there(subject)
        place = find_refusal(subject.text)
        if place is None:
            return failed(f"{subject.who} does not refuse.")
        return passed(f"{subject.who} refuses.", span=Span(*place))
