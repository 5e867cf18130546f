"""Names in a list that somebody pastes or exports: which encoding, which column."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import charset_normalizer

from webapp.errors import InvalidInput

MOST_LINES: Final = 1_000
_BYTES: Final = 1_000_000
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What spreadsheets write where they do not write Unicode; the likeliest comes first.
_OLD: Final = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254")
_COLUMNS: Final = ("nickname", "name", "student", "pupil", "player", "first name")
_DELIMITERS: Final = (";", "\t", ",")


@dataclass(frozen=True, slots=True)
class Entry:
    """A name as it stands in a line of the list."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The names of a list in their order, and what was assumed to find them."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


def read(content: bytes | str) -> Sheet:
    """Return the names of a file or a pasted text; blank lines are left out.

    Raise InvalidInput if it is too long, or nothing in it can be read.
    """
    notes: list[str] = []
    text = content if isinstance(content, str) else _decoded(content, notes)
    text = text.removeprefix("\ufeff").replace("\0", "")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise InvalidInput(
            f"The list has {len(lines):,} lines. At most {MOST_LINES:,} go in at once: "
            "send it in parts."
        )
    rows = list(_rows(text, _delimiter(lines)))
    if not rows:
        raise InvalidInput("The list is empty. Write one name in each line.")
    return Sheet(tuple(_names(rows, notes)), tuple(notes))


def _names(rows: list[tuple[int, list[str]]], notes: list[str]) -> Iterator[Entry]:
    header = [cell.strip().casefold() for cell in rows[0][1]]
    known = [name for name in _COLUMNS if name in header]
    column = header.index(known[0]) if known else 0
    if known:
        notes.append(f"The first line has the heading “{rows[0][1][column].strip()}”.")
        rows = rows[1:]
    widest = max((len(cells) for _, cells in rows), default=1)
    if widest > 1:
        notes.append(
            f"Only column {column + 1} is read as names; {widest - 1} more left out."
        )
    for line, cells in rows:
        text = cells[column].strip() if column < len(cells) else ""
        if text:
            yield Entry(line, text)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(
            f"Line {line} is not a line of a table. Look for a quotation mark that is "
            "never closed."
        ) from error


def _delimiter(lines: list[str]) -> str:
    """Return what stands between the columns: what most lines have."""
    found = Counter(mark for line in lines for mark in _DELIMITERS if mark in line)
    most = max(found.values(), default=0)
    if most * 2 < len(lines):
        return _DELIMITERS[0]
    return next(mark for mark in _DELIMITERS if found[mark] == most)


def _decoded(content: bytes, notes: list[str]) -> str:
    if len(content) > _BYTES:
        raise InvalidInput("This file is larger than a list of names can be (1 MB).")
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidInput(
            "This file is not a list of names that can be read. Save it as CSV (UTF-8) "
            "in your spreadsheet, or paste the names."
        ) from None
    if encoding in _OLD:
        notes.append(
            f"The file is in the old encoding {encoding.replace('cp', 'Windows-')}. If "
            "letters look wrong, save it as CSV (UTF-8) and choose it again."
        )
    return text


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    try:
        content.decode()
    except UnicodeDecodeError:
        pass
    else:
        # Zeros are no text: it may be UTF-16 that does not say so.
        if b"\0" not in content:
            return "utf-8"
    if b"\0" in content:
        return "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    return _old_encoding(content)


def _old_encoding(content: bytes) -> str:
    """Return Windows' Western one unless another alphabet makes more sense."""
    best = charset_normalizer.from_bytes(content, cp_isolation=list(_OLD)).best()
    if best is None or _OLD[0] in (best.encoding, *best.could_be_from_charset):
        return _OLD[0]
    return best.encoding
