"""A matrix as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Final

from webapp.domain.lab.matrices import MatrixView
from webapp.text.csv_cells import neutral

_HEAD: Final = (
    "prompt",
    "model",
    "temperature",
    "line",
    "wanted",
    "sample",
    "seed",
    "reply",
    "check",
    "what was found",
    "tokens",
    "ms",
)


def csv_of(seen: MatrixView) -> str:
    """Return a matrix as CSV, one line for each reply."""
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(_HEAD)
    plan = seen.plan
    for cell in seen.cells:
        for reply in cell.replies:
            item = plan.items[reply.item]
            line = (
                plan.prompts[cell.prompt],
                plan.models[cell.model].title,
                plan.temperatures[cell.heat],
                item.text,
                item.wanted,
                reply.sample + 1,
                reply.seed,
                reply.text,
                reply.status,
                reply.error or reply.message,
                reply.tokens,
                reply.ms,
            )
            table.writerow(map(neutral, line))
    return file.getvalue()
