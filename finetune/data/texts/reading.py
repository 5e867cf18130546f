"""From a file to a table of columns and rows.

What the file is, is found by what is in it; its name only helps where that leaves a
choice. Whatever cannot be read raises a DataError: one sentence for a person.
"""

from __future__ import annotations

import re
from pathlib import Path

from finetune.data.texts.cells import is_table, read_cells
from finetune.data.texts.decoding import MOST_BYTES, decode, read_bytes
from finetune.data.texts.errors import DataError
from finetune.data.texts.objects import (
    Objects,
    has_object_lines,
    is_json,
    read_json,
    read_lines,
)
from finetune.data.texts.repairing import repair_rows
from finetune.data.texts.table import Documents, Format, Table, check_rows

_PARAGRAPHS = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
# The only column of a plain text.
TEXT = "text"


def read_table(
    path: Path,
    *,
    format: Format = "auto",
    documents: Documents = "lines",
    limit: int = MOST_BYTES,
    name: str | None = None,
) -> Table:
    """Read a file of at most `limit` bytes; `documents` says what a row of a txt is.

    `name` is what messages call the file; its own name where none is given. Raises
    DataError if it cannot be read, holds no text, or less than two rows.
    """
    called = name or path.name
    raw = read_bytes(path, limit=limit, name=called)
    text, encoding, lost = decode(raw, called)
    del raw
    found = find_format(text, called) if format == "auto" else format
    if found in ("json", "jsonl"):
        # Either is called .json by those who know only one of them.
        found = "jsonl" if has_object_lines(text, expected=found) else "json"
    columns, rows = _parts(text, found, documents, called)
    repaired = repair_rows(rows, has_lost=lost > 0)
    is_text = found == "txt"
    _check_size(rows, documents if is_text else "rows", called)
    return Table(
        columns, rows, found, encoding, repaired, documents if is_text else "rows"
    )


def find_format(text: str, name: str) -> str:
    """Tell the format of a text: by what is in it, and the ending of its name."""
    ending = Path(name).suffix.lower()
    if ending in (".jsonl", ".ndjson"):
        return "jsonl"
    if ending == ".json" or is_json(text):
        return "json"
    if ending in (".csv", ".tsv"):
        return "csv"
    if ending in (".txt", ".text", ".md"):
        return "txt"
    return "csv" if is_table(text) else "txt"


def _parts(text: str, found: str, documents: Documents, name: str) -> Objects:
    if found == "csv":
        columns, cells = read_cells(text, name)
        rows = [dict(zip(columns, row, strict=True)) for row in cells]
        return Objects(columns, rows)
    if found in ("json", "jsonl"):
        return (read_lines if found == "jsonl" else read_json)(text, name)
    texts = split_text(text, documents)
    check_rows(len(texts), name)
    return Objects((TEXT,), [{TEXT: each} for each in texts])


def split_text(text: str, documents: Documents) -> list[str]:
    """Cut a plain text into lines or paragraphs, without blank ones, or leave it."""
    if documents == "whole":
        return [text.strip("\n")]
    by_lines = documents == "lines"
    parts = text.split("\n") if by_lines else _PARAGRAPHS.split(text)
    return [part.strip("\n").rstrip() for part in parts if part.strip()]


def _check_size(rows: list[dict[str, str]], documents: str, name: str) -> None:
    if documents == "whole" or len(rows) > 1:
        return
    if not rows:
        raise DataError(f"{name} has no rows: choose a file with texts in it.")
    unit = {"lines": "line", "paragraphs": "paragraph"}.get(documents, "row")
    other = {
        "lines": "put each text in a line of its own, or take paragraphs or the whole"
        " text instead of lines",
        "paragraphs": "put a blank line between texts, or take lines or the whole text"
        " instead of paragraphs",
    }.get(documents, "add more, so that some can be kept to judge by")
    raise DataError(f"{name} has only one {unit}: {other}.")
