"""All rows of a guard's recipe: what is trained on, and what is kept out of it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from finetune.data.guards.gate import gate_rows
from finetune.data.guards.rows import Row, read_rows
from finetune.recipes.guard import ClassifierRecipe, Kind, RowFile, RowFolder

Emit = Callable[[dict[str, Any]], None]
# Of the sources that are trained on, every twentieth row only shows the progress.
_DEV = 20


@dataclass(frozen=True, slots=True)
class SplitRows:
    """`train` moves weights; `dev` has the same sources, `held_out` has others."""

    train: list[Row]
    dev: list[Row]
    held_out: list[Row]


def collect(recipe: ClassifierRecipe, emit: Emit) -> SplitRows:
    """Generate and read the rows of a recipe; say which files are missing.

    Rows that occur twice count once. Twins are never separated.
    """
    rows = gate_rows(recipe.generated.rows, seed=recipe.seed)
    for folder in recipe.data:
        for file in folder.files:
            rows += _from_file(folder, file, recipe.seed, emit)
    rows = list({row.text: row for row in rows}.values())
    return split(rows, recipe.held_out, recipe.seed)


def split(rows: list[Row], held_out: tuple[str, ...], seed: int) -> SplitRows:
    """Keep whole sources out, and of the others every twentieth row or pair."""
    kept = [row for row in rows if row.source.startswith(held_out)] if held_out else []
    others = [
        row for row in rows if not held_out or not row.source.startswith(held_out)
    ]
    train: list[Row] = []
    dev: list[Row] = []
    for row in others:
        (dev if _is_dev(row, seed) else train).append(row)
    return SplitRows(train, dev, kept)


def _is_dev(row: Row, seed: int) -> bool:
    # By the row alone: a public row's side must not depend on how many are generated.
    key = f"{seed} {row.text if row.pair is None else row.pair}"
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4]) % _DEV == 0


def _kind(file: RowFile, row: Mapping[str, Any]) -> Kind | None:
    if not row["label"]:
        return None
    return file.kinds.get(str(row.get("category")), file.kind)


def _from_file(
    folder: RowFolder, file: RowFile, seed: int, emit: Emit
) -> Iterator[Row]:
    path = folder.folder / file.name
    if not path.is_file():
        emit({"event": "missing", "file": str(path), "licence": file.licence})
        return iter(())
    rows = [
        Row(
            row["text"],
            row["label"],
            row.get("source", file.name),
            kind=_kind(file, row),
        )
        for row in read_rows(path)
        if row.get("category") not in file.without
    ]
    if file.limit is not None and len(rows) > file.limit:
        rng = random.Random(seed)
        rows = rng.sample(rows, file.limit)
    return iter(rows)
