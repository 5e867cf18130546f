"""The rows of one part of a file, as the model reads them: to judge by, afterwards."""

from __future__ import annotations

import random
from typing import Any, Final, Literal

from finetune.data.texts.rendering import Rendered, render_rows
from finetune.data.texts.splitting import split, take
from finetune.data.texts.table import Table
from finetune.recipes.lm import TextRows

Json = dict[str, Any]
# The test part is locked: it is judged by, and never shown.
Part = Literal["train", "validation"]
PARTS: Final[tuple[Part, ...]] = ("train", "validation")
# Of a long text the beginning: whoever asks looks for copies in all of it.
_MOST_CHARACTERS: Final = 8_000_000


def part_rows(
    table: Table, data: TextRows, *, part: Part, limit: int, draw: int, seed: int
) -> tuple[list[Json], bool]:
    """Return at most `limit` rows of a part, and whether there are more.

    `seed` is that of the training, which dealt the rows out. Rows of `validation` are
    drawn by `draw`; those of `train` are the first that were learned from. Raises
    DataError if the file cannot be split.
    """
    parts = split(
        render_rows(table, data), validation=data.validation, test=data.test, seed=seed
    )
    if part == "validation":
        rows = parts.validation
        chosen = random.Random(draw).sample(rows, min(limit, len(rows)))  # noqa: S311 -- a sample
    else:
        rows = take(parts.train, data.most_rows, seed=seed)
        chosen = _beginning(rows[:limit])
    return [_row(each) for each in chosen], len(chosen) < len(rows)


def _beginning(rows: list[Rendered]) -> list[Rendered]:
    left, found = _MOST_CHARACTERS, []
    for each in rows:
        if left <= 0:
            break
        # One text alone may be the whole file.
        found.append(each._replace(text=each.text[:left]))
        left -= len(each.whole())
    return found


def _row(rendered: Rendered) -> Json:
    """Return a row; of a chat the last thing said to the model, and its answer."""
    turns = rendered.messages
    if turns is None:
        return {"text": rendered.text, "answer": rendered.answer}
    last = max(n for n, turn in enumerate(turns) if turn["role"] == "assistant")
    asked = [turn["content"] for turn in turns[:last] if turn["role"] == "user"]
    return {"text": asked[-1] if asked else "", "answer": turns[last]["content"]}
