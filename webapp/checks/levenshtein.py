"""The text is nearly a certain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field, StrictInt

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.limits import numbered
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
from webapp.text.characters import characters, is_blank
from webapp.text.finding import composed
from webapp.text.words import fold


@checks.register("levenshtein")
class Levenshtein(Check):
    """The text becomes a certain text by changing a few characters.

    Each character that is added, left out or replaced counts as one. Spaces and line
    ends around the text do not.
    """

    class Options(CheckOptions):
        """The text, and how much may differ."""

        value: Wanted = Field(description="The text. It may hold {slots}.")
        max: Annotated[StrictInt, Field(ge=0, le=200)] = Field(
            2, description="Most characters that may differ."
        )
        ignore_case: bool = Field(
            False, description="Capital or small letters do not matter."
        )

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "lantern"}, Subject("lantren"), "passed"),
        CheckExample({"value": "lantern"}, Subject("leteron"), "failed"),
        CheckExample({"value": "lantern", "max": 1}, Subject(" lanterns\n"), "passed"),
        CheckExample({"value": "lantern", "max": 0}, Subject("lanterns"), "failed"),
        CheckExample({"value": "Lantern", "max": 0}, Subject("LANTERN"), "failed"),
        CheckExample(
            {"value": "Lantern", "max": 0, "ignore_case": True},
            Subject("LANTERN"),
            "passed",
        ),
        CheckExample({"value": "caf\u00e9", "max": 0}, Subject("cafe\u0301"), "passed"),
        CheckExample({"value": "ok"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Count the changes that it takes."""
        if is_blank(subject.text):
            return nothing_there(subject)
        seen, wanted = self._plain(subject.text), self._plain(self._options.value)
        most = self._options.max
        distance = edit_distance(seen, wanted, limit=most)
        if distance > most:
            return failed(
                f"{subject.who} differs in more than {numbered(most, 'character')}."
            )
        differing = numbered(distance, "character") if distance else "no character"
        return passed(f"{subject.who} differs in {differing}.", count=distance)

    def _plain(self, text: str) -> list[str]:
        plain = composed(text).strip()
        return characters(fold(plain) if self._options.ignore_case else plain)


def edit_distance(first: Sequence[str], second: Sequence[str], *, limit: int) -> int:
    """Return how many changes lead from one to the other, or limit + 1 if more do.

    Only what is at most `limit` away from the diagonal is looked at: nothing further
    off can be part of so few changes.
    """
    far = limit + 1
    if abs(len(first) - len(second)) > limit:
        return far
    row = {j: j for j in range(min(limit, len(second)) + 1)}
    for i, a in enumerate(first, start=1):
        above, row = row, {}
        for j in range(max(0, i - limit), min(len(second), i + limit) + 1):
            if j == 0:
                row[0] = i
                continue
            row[j] = min(
                above.get(j, far) + 1,
                row.get(j - 1, far) + 1,
                above.get(j - 1, far) + (a != second[j - 1]),
            )
    return min(row.get(len(second), far), far)
