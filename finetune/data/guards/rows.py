"""Labelled rows, generated or from files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.recipes.common import RecipeError
from finetune.recipes.guard import Kind


@dataclass(frozen=True, slots=True)
class Row:
    """A message; label 1 is an attack, 0 is benign.

    `source` is what may be left out together. An attack and its harmless twin have
    the same `pair`. `kind` says what kind of attack it is, if that is known.
    """

    text: str
    label: int
    source: str
    pair: int | None = None
    kind: Kind | None = None

    @property
    def publisher(self) -> str:
        """Whose rows these are: the source up to its first slash."""
        return self.source.split("/")[0]


def read_rows(
    path: Path, needed: Sequence[str] = ("text",), *, called: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSONL file; raise RecipeError with file and line.

    Each row has the `needed` texts and a label of 0 or 1. `called` is what a person
    calls the file, if that is not its path.
    """
    called = called or str(path)
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{called} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise RecipeError(
                f"{called}:{number}: this is not JSON: {error}."
            ) from error
        _check(row, needed, f"{called}:{number}")
        yield row


def _check(row: Any, needed: Sequence[str], where: str) -> None:
    if not isinstance(row, dict):
        raise RecipeError(f"{where}: a row is an object with {_names(needed)}.")
    for name in needed:
        if not isinstance(row.get(name), str):
            raise RecipeError(f"{where}: {name} must be text.")
    if row.get("label") not in (0, 1) or isinstance(row.get("label"), bool):
        raise RecipeError(f"{where}: label must be 0 (benign) or 1 (attack).")
    if not isinstance(row.get("source", ""), str):
        raise RecipeError(f"{where}: source must be text.")


def _names(needed: Sequence[str]) -> str:
    return ", ".join([*needed, "label"])
