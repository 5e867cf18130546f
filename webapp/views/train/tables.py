"""A comparison as a table for a spreadsheet, and replies with a part marked."""

from __future__ import annotations

import csv
import io

from webapp.domain.train.compared import (
    SIDES,
    TIE,
    Answer,
    ComparisonView,
    Preference,
)
from webapp.text.csv_cells import neutral


def csv_of(seen: ComparisonView) -> str:
    """Return a comparison as CSV, one line for each prompt."""
    file = io.StringIO()
    table = csv.writer(file)
    head = ["row", "prompt", "target", "learned from"]
    for side in seen.sides:
        head += [
            f"{side.model}: {what}"
            for what in ("reply", "matches", "similarity", "errors", "grade")
        ]
    table.writerow(map(neutral, [*head, "judge", "note"]))
    for row in seen.rows:
        line = [str(row.place), row.prompt, row.target or "", _yes(row.is_learned)]
        for answer in row.answers:
            line += _answer_cells(answer)
        line.append(_preferred(seen, row.preference))
        table.writerow(map(neutral, [*line, row.note]))
    return file.getvalue()


def marked(text: str, span: str) -> tuple[str, str, str]:
    """Return a text in three parts: before a span, the span, and after it."""
    if not span or span not in text:
        return text, "", ""
    before, _, after = text.partition(span)
    return before, span, after


def _answer_cells(answer: Answer) -> list[str]:
    near = answer.similarity
    return [
        answer.text or answer.error,
        "" if answer.is_match is None else _yes(answer.is_match),
        "" if near is None else f"{near:.3f}",
        "; ".join(finding.label for finding in answer.errors),
        answer.grade,
    ]


def _preferred(seen: ComparisonView, found: Preference | None) -> str:
    if found is None:
        return ""
    if not found.better:
        return f"not judged: {found.error}"
    return TIE if found.better == TIE else seen.sides[SIDES.index(found.better)].model


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
