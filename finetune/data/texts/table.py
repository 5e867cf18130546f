"""What every format is read into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from finetune.data.texts.errors import DataError

Format = Literal["auto", "txt", "csv", "json", "jsonl"]
Documents = Literal["lines", "paragraphs", "whole"]
MOST_COLUMNS: Final = 100
MOST_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a file: every row has a text, perhaps an empty one, for each column.

    `repaired` counts rows with characters that had been broken by a wrong encoding.
    `documents` says what a row of a txt file is, and "rows" for other formats.
    """

    columns: tuple[str, ...]
    rows: list[dict[str, str]]
    format: str
    encoding: str
    repaired: int
    documents: str = "rows"


def check_columns(count: int, name: str) -> None:
    """Raise DataError if there are more columns than a person could choose from."""
    if count > MOST_COLUMNS:
        raise DataError(
            f"{name} has more than {MOST_COLUMNS} columns: keep only those with the"
            " texts to learn from."
        )


def check_rows(count: int, name: str) -> None:
    """Raise DataError if there are more rows than can be held."""
    if count > MOST_ROWS:
        raise DataError(
            f"{name} has more than {MOST_ROWS:,} rows: keep a part of them, or make"
            " paragraphs the rows of a text."
        )
