"""Breaking a text into lines of about the same width, for where no page does it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import regex

_WORD = regex.compile(r"\S+")
_CHARACTER = regex.compile(r"\X")


def wrapped(text: str, *, columns: int, lines: int) -> tuple[str, ...]:
    """Return a text in at most `lines` lines; an ellipsis ends it if there was more.

    Wide characters, as of Chinese, take two columns. What no picture can show is left
    out: control characters and the like.
    """
    plain = "".join(c for c in text if c == "\n" or _is_drawn(c))
    found: list[str] = []
    for line in plain.split("\n"):
        found += _lines(line, columns) if line.strip() else []
    if len(found) <= lines:
        return tuple(found)
    last = found[lines - 1]
    while last and _width(last) >= columns:
        last = last[:-1]
    return (*found[: lines - 1], f"{last.rstrip()}…")


def _lines(text: str, columns: int) -> Iterator[str]:
    line = ""
    for word in _WORD.findall(text):
        for part in _parts(word, columns):
            longer = f"{line} {part}" if line else part
            if _width(longer) > columns:
                yield line
                longer = part
            line = longer
    yield line


def _parts(word: str, columns: int) -> Iterator[str]:
    """Cut a word that is wider than a line."""
    part = ""
    for character in _CHARACTER.findall(word):
        if part and _width(part + character) > columns:
            yield part
            part = ""
        part += character
    yield part


def _width(text: str) -> int:
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if not unicodedata.combining(character)
    )


def _is_drawn(character: str) -> bool:
    # XML has no place for these, escaped or not.
    return (
        unicodedata.category(character) not in {"Cc", "Cs", "Cn"} or character == "\t"
    )
