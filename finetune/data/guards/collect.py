"""All rows of a guard's recipe: what is trained on, and what is kept out of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from finetune.data.guards.gate import gate_rows
from finetune.data.guards.rows import Row, read_rows
from finetune.training.classifier_recipe import ClassifierRecipe, RowFile, RowFolder

Emit = Callable[[dict[str, Any]], None]
# Of the sources that are trained on, every twentieth row only shows the progress.
_DEV = 20


@dataclass(frozen=True, slots=True)
class Rows:
    """`train` moves weights; `dev` has the same sources, `held_out` has others."""

    train: list[Row]
    dev: list[Row]
    held_out: list[Row]


def collect(recipe: ClassifierRecipe, emit: Emit) -> Rows:
    """Generate and read the rows of a recipe; say which files are missing.

    Rows that occur twice count once. Twins are never torn apart.
    """
    rows = gate_rows(recipe.generated.rows, seed=recipe.seed)
    for folder in recipe.data:
        for file in folder.files:
            rows += _from_file(folder, file, recipe.seed, emit)
    rows = list({row.text: row for row in rows}.values())
    return split(rows, recipe.held_out, recipe.seed)


def split(rows: list[Row], held_out: tuple[str, ...], seed: int) -> Rows:
    """Keep whole sources out, and of the others every twentieth row or pair."""
    kept = [row for row in rows if row.source.startswith(held_out)] if held_out else []
    others = [
        row for row in rows if not held_out or not row.source.startswith(held_out)
    ]
    dice = random.Random(seed)
    dev_pairs = {
        pair
        for pair in sorted({row.pair for row in others if row.pair is not None})
        if dice.randrange(_DEV) == 0
    }
    train: list[Row] = []
    dev: list[Row] = []
    for row in others:
        is_dev = (
            row.pair in dev_pairs if row.pair is not None else not dice.randrange(_DEV)
        )
        (dev if is_dev else train).append(row)
    return Rows(train, dev, kept)


def _from_file(
    folder: RowFolder, file: RowFile, seed: int, emit: Emit
) -> Iterator[Row]:
    path = folder.folder / file.name
    if not path.is_file():
        emit({"event": "missing", "file": str(path), "licence": file.licence})
        return iter(())
    found = [
        Row(row["text"], row["label"], row.get("source", file.name))
        for row in read_rows(path)
        if row.get("category") not in file.without
    ]
    if file.limit is not None and len(found) > file.limit:
        dice = random.Random(seed)
        found = dice.sample(found, file.limit)
    return iter(found)
