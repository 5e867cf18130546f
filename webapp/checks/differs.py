"""The run is another one than the student's earlier ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StrictInt

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
    ungraded,
)
from webapp.text.characters import is_blank
from webapp.text.words import words

_BEFORE: Final = (
    EarlierRun({"rule": "Say it in French."}, ("Il est tard.",), True),
    EarlierRun({"rule": "Finish my sentence!"}, ("It is late.",), False),
)


def _subject(rule: str, reply: str = "It is late.", runs: int = 2) -> Subject:
    sample = Sample(reply)
    return Subject(
        "",
        typed={"rule": rule},
        sample=sample,
        samples=(sample,),
        earlier=_BEFORE[:runs],
    )


@checks.register("differs")
class Differs(Check):
    """The run differs in its words from all earlier runs of the student.

    Case, spaces and punctuation are no difference, nor is the order of the words. The
    first run of a panel fails, since there is nothing that it could differ from.
    """

    class Options(CheckOptions):
        """What must differ, and by how much."""

        compare: Literal["prompt", "reply"] = Field(
            "prompt", description="What the student typed, or what the model said."
        )
        words: Annotated[StrictInt, Field(ge=1, le=100)] = Field(
            1, description="Fewest words that are new or gone."
        )
        only_passed: bool = Field(
            False, description="Compare only with earlier runs that passed."
        )

    SHORT: ClassVar[str] = "compare"
    aspects: ClassVar[tuple[Aspect, ...]] = ("runs",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({}, _subject("Spell it."), "passed"),
        CheckExample({}, _subject("finish  my sentence"), "failed"),
        CheckExample({}, _subject("In French, say it."), "failed"),
        CheckExample({}, _subject("Finish my sentences!"), "passed"),
        CheckExample({"words": 3}, _subject("Finish my sentences!"), "failed"),
        CheckExample({"words": 3}, _subject("Spell it backwards."), "passed"),
        CheckExample({"only_passed": True}, _subject("Finish my sentence!"), "passed"),
        CheckExample({"compare": "reply"}, _subject("Spell it."), "failed"),
        CheckExample({"compare": "reply"}, _subject("Spell it.", "L-A"), "passed"),
        CheckExample({}, _subject("Spell it.", runs=0), "failed"),
        CheckExample({}, _subject(" "), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Compare with each earlier run; the nearest counts."""
        options = self._options
        is_prompt = options.compare == "prompt"
        if not is_prompt and not subject.samples:
            return ungraded("There is no reply to compare yet.")
        if subject.samples and is_blank(subject.samples[-1].reply):
            return nothing_there(subject)
        replies = tuple(sample.reply for sample in subject.samples)
        now = _said(subject.typed.values() if is_prompt else replies)
        if not now:
            return failed("There are no words to compare.")
        runs = [run for run in subject.earlier if run.is_passed >= options.only_passed]
        if not runs:
            return failed("There is no earlier run that this one could differ from.")
        changes = min(
            len(now ^ _said(run.values.values() if is_prompt else run.replies))
            for run in runs
        )
        what = "What you typed" if is_prompt else "What the model said"
        if changes < options.words:
            said = numbered(changes, "word") if changes else "no word"
            return failed(
                f"{what} differs in {said} from an earlier run; at least "
                f"{options.words} {'is' if options.words == 1 else 'are'} needed.",
                score=changes / options.words,
                count=changes,
            )
        return passed(f"{what} differs from all earlier runs.", count=changes)


def _said(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in words(text))
