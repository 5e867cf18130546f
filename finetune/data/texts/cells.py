"""Tables with commas, semicolons or tabs between their cells."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from finetune.data.texts.errors import DataError
from finetune.data.texts.table import check_columns, check_rows

_DELIMITERS = (",", ";", "\t")
# Stands in no text: every line is then one cell.
_NONE = "\x1f"
_SAMPLE_ROWS = 50
_SAMPLE = 200_000  # characters
_LONGEST_NAME = 40
_NUMBER = re.compile(r"[-+]?[\d.,\s]*\d%?")


class Cells(NamedTuple):
    """Names of columns, and rows of as many cells."""

    columns: tuple[str, ...]
    rows: list[list[str]]


class Line(NamedTuple):
    """Cells of one row, and the line of the file that it begins in, from 1."""

    number: int
    cells: list[str]


def read_cells(text: str, name: str) -> Cells:
    """Read a table; columns without names are called column1, column2, and so on.

    Raises DataError with the line if rows are uneven or a quote is not closed.
    """
    delimiter = find_delimiter(text)
    lines = (line for line in _lines(text, delimiter, name) if line.cells)
    start = list(itertools.islice(lines, _SAMPLE_ROWS))
    if not start:
        raise DataError(f"{name} has no rows: choose a table with text in it.")
    width = len(start[0].cells)
    check_columns(width, name)
    has_names = is_header(start[0].cells, [line.cells for line in start[1:]])
    columns = _names(start[0].cells if has_names else [""] * width)
    rows: list[list[str]] = []
    for number, cells in itertools.chain(start[1:] if has_names else start, lines):
        if len(cells) != width:
            raise DataError(_uneven(number, len(cells), width, delimiter, name))
        rows.append(cells)
        check_rows(len(rows), name)
    return Cells(columns, rows)


def find_delimiter(text: str) -> str:
    """Return what stands between cells; what stands in no text if there is one column.

    The first row decides which can be meant, and how evenly the others are cut.
    """
    start = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        start = start[: start.rfind("\n") + 1] or start
    scores: dict[str, tuple[float, int]] = {}
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
        try:
            rows = [row for row in itertools.islice(reader, _SAMPLE_ROWS) if row]
        except csv.Error:
            rows = []
        if rows and len(rows[0]) > 1:
            alike = Counter(map(len, rows))[len(rows[0])] / len(rows)
            scores[delimiter] = alike, len(rows[0])
    return max(scores, key=lambda each: scores[each]) if scores else _NONE


def is_table(text: str) -> bool:
    """Say whether a text of unknown format is a table: short names, then even rows."""
    delimiter = find_delimiter(text)
    if delimiter == _NONE:
        return False
    reader = csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=delimiter)
    try:
        rows = [row for row in itertools.islice(reader, _SAMPLE_ROWS) if row][:-1]
    except csv.Error:
        return False
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return False
    names = rows[0]
    return is_header(names, rows[1:]) and all(len(n.split()) <= 2 for n in names)


def is_header(first: list[str], others: list[list[str]]) -> bool:
    """Say whether the first row names the columns.

    Names are short, no numbers, no sentences, and do not come again as values.
    """
    names = [cell.strip() for cell in first]
    if not others or not any(names):
        return False
    for place, name in enumerate(names):
        values = {row[place].strip().casefold() for row in others if place < len(row)}
        if name and (
            len(name) > _LONGEST_NAME
            or _NUMBER.fullmatch(name)
            or name.endswith((".", "!", "?"))
            or "\n" in name
            or name.casefold() in values
        ):
            return False
    # One column that looks like any other line of a text has no name above it.
    return len(names) > 1 or len(names[0].split()) == 1


def _names(cells: list[str]) -> tuple[str, ...]:
    """Return names that differ and that a template can hold."""
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = clean_name(cell) or f"column{place}"
        again = name
        number = 2
        while again in names:
            again, number = f"{name}_{number}", number + 1
        names.append(again)
    return tuple(names)


def clean_name(name: str) -> str:
    """Return a column's name as a template can hold it: no braces, one line."""
    return " ".join(name.replace("{", "(").replace("}", ")").split())


def _lines(text: str, delimiter: str, name: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DataError(_quotes(before + 1, str(error), name)) from error
        if cells is None:
            return
        yield Line(before + 1, cells)
        before = reader.line_num


def _quotes(number: int, error: str, name: str) -> str:
    if "field limit" in error:
        trouble = "is never closed, or a cell has more than 131,072 characters"
    elif "end of data" in error:
        trouble = "is never closed"
    else:
        trouble = "closes in the middle of a cell"
    return (
        f"{name}, line {number}: a double quote {trouble}: write a quote inside of a"
        ' cell twice, as in "she said ""yes""".'
    )


def _uneven(number: int, found: int, width: int, delimiter: str, name: str) -> str:
    sign = {",": "comma", ";": "semicolon", "\t": "tab"}.get(delimiter, "quote")
    cells = "1 cell" if found == 1 else f"{found} cells"
    return (
        f"{name}, line {number} has {cells} where the first line has {width}: put"
        f' texts that hold a {sign} in double quotes, as in "one{delimiter} two".'
    )
