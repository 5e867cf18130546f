"""Whether replies have the form of the rows that a model learned from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain.train.compared import ComparisonView, RowView

_COLUMN: Final = re.compile(r"\{[^{}\n]+\}")
_FEWEST_LETTERS: Final = 2


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, and how many replies of each model have it, of those that should."""

    text: str
    counts: tuple[int, ...]
    of: int


@dataclass(frozen=True, slots=True)
class Form:
    """What is found of each heading, and how many replies have all they should.

    `of` is the number of prompts after which at least one heading should come.
    """

    headings: tuple[Heading, ...]
    whole: tuple[int, ...]
    of: int


def headings(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the template writes the same into every row, in its order.

    Of data with an answer it is the answer's, because the model writes only that.
    """
    template = str(settings.get("answer") or settings.get("text") or "")
    pieces = (
        line.strip(" \t,;.")
        for part in _COLUMN.split(template)
        for line in part.split("\n")
    )
    found = (p for p in pieces if sum(c.isalpha() for c in p) >= _FEWEST_LETTERS)
    return tuple(dict.fromkeys(found))


def has(text: str, heading: str) -> bool:
    """Tell whether a heading is in a text, and not as the end of a longer word."""
    return re.search(rf"(?<!\w){re.escape(heading)}", text) is not None


def count(seen: ComparisonView) -> Form | None:
    """Return what the replies have of the form; None if the data has no headings.

    Only fair rows count, and only the headings that are not in the prompt already.
    """
    known = headings(seen.run.data_settings)
    if not known:
        return None
    wanted = {
        row.place: [h for h in known if not has(row.prompt, h)] for row in seen.fair
    }
    rows = [row for row in seen.fair if wanted[row.place]]
    sides = range(len(seen.sides))
    return Form(
        headings=tuple(
            Heading(
                text=one,
                counts=tuple(
                    sum(
                        one in wanted[row.place] and _wrote(row, side, [one])
                        for row in rows
                    )
                    for side in sides
                ),
                of=sum(one in wanted[row.place] for row in rows),
            )
            for one in known
        ),
        whole=tuple(
            sum(_wrote(row, side, wanted[row.place]) for row in rows) for side in sides
        ),
        of=len(rows),
    )


def _wrote(row: RowView, side: int, wanted: list[str]) -> bool:
    answer = row.answers[side]
    if answer.error or answer.is_site:
        return False
    return all(has(answer.text or "", one) for one in wanted)
