"""The student changed one line since the last run, and nothing else."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import ClassVar, Final

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.limits import numbered
from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckAsk,
    CheckExample,
    EarlierRun,
    Outcome,
    Sample,
    Subject,
    checks,
    failed,
    passed,
)
from webapp.text.characters import is_blank
from webapp.text.finding import composed

_BEFORE: Final = (
    EarlierRun({"rows": "Bad food: no\nCold soup: no", "tone": "calm"}, ("no",), False),
    EarlierRun({"rows": "Good food: yes", "tone": "calm"}, ("yes",), False),
)


def _subject(rows: str, tone: str = "calm", runs: int = 2) -> Subject:
    return Subject(
        "",
        typed={"rows": rows, "tone": tone},
        sample=Sample("yes"),
        earlier=_BEFORE[:runs],
    )


@checks.register("changed-one-thing")
class ChangedOneThing(Check):
    """One line was changed, added or taken away since the last run, and no more.

    Only so does a run show what that line does. Spaces at the ends of lines and empty
    lines are no change.
    """

    class Options(CheckOptions):
        """There are none."""

    aspects: ClassVar[tuple[Aspect, ...]] = ("runs",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({}, _subject("Bad food: no\nHot soup: yes"), "passed"),
        CheckExample({}, _subject("Bad food: no"), "passed"),
        CheckExample({}, _subject("Bad food: no\nCold soup: no\nTea: yes"), "passed"),
        CheckExample({}, _subject("Bad food: no\nCold soup: no", "loud"), "passed"),
        CheckExample({}, _subject("Good food: yes\nHot soup: yes"), "failed"),
        CheckExample({}, _subject("Bad food: no", "loud"), "failed"),
        CheckExample({}, _subject("Bad food: no \n\nCold soup: no\n"), "failed"),
        CheckExample({}, _subject("Bad food: no", runs=0), "failed"),
    )

    def __init__(self, options: Options) -> None:
        """There is nothing to set."""

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count lines that are not as they were."""
        if subject.sample is not None and is_blank(subject.sample.reply):
            return nothing_there(subject)
        if not subject.earlier:
            return failed("This is the first run: change one line and run it again.")
        before = subject.earlier[0].values
        changes = sum(
            _changes(_lines(before.get(slot, "")), _lines(subject.typed.get(slot, "")))
            for slot in {**before, **subject.typed}
        )
        if changes == 1:
            return passed("One line has changed since the last run.", count=1)
        if changes == 0:
            return failed("Nothing has changed since the last run.", count=0)
        return failed(
            f"{numbered(changes, 'line')} have changed since the last run; one is "
            "enough to see what it does.",
            score=1 / changes,
            count=changes,
        )


def _lines(text: str) -> list[str]:
    lines = (composed(line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _changes(before: list[str], now: list[str]) -> int:
    """Return how many lines were changed, added or taken away."""
    matcher = SequenceMatcher(None, before, now, autojunk=False)
    return sum(
        max(old_end - old, new_end - new)
        for tag, old, old_end, new, new_end in matcher.get_opcodes()
        if tag != "equal"
    )
