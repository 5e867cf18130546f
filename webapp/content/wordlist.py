"""Reads a list of secret words: one a line, `#` starts a comment."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import regex

from webapp.reading.problems import Problem
from webapp.reading.tree import TreeProblem, decode
from webapp.text.names import why_unreadable
from webapp.text.words import normalise_guess

# With fewer words, players would guess each other's by chance.
MIN_WORDS: Final = 2_000

# Joiners belong to the spelling of some Indian and Persian words.
_WORD = regex.compile(r"(?:\p{L}\p{M}*[\u200c\u200d]?)+")
_IDEOGRAPH = regex.compile(r"\p{Ideographic}")
_FEWEST_LETTERS = 3
# However they are stored: prompts reserve that much room for a password.
MAX_LETTERS: Final = 30


@dataclass(frozen=True, slots=True)
class WordList:
    """The words of one file, and the line each is on."""

    name: str
    path: Path
    lines: Mapping[str, int]

    @property
    def words(self) -> tuple[str, ...]:
        """The words in the order of the file."""
        return tuple(self.lines)


def read_words(path: Path, data: bytes) -> tuple[WordList, list[Problem]]:
    """Return the words of a file with every problem of the list."""
    lines: dict[str, int] = {}
    try:
        text = decode(data)
    except TreeProblem as error:
        return WordList(path.stem, path, lines), [error.at(path)]
    problems: list[Problem] = []
    seen: dict[str, tuple[str, int]] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        word = unicodedata.normalize("NFC", raw.partition("#")[0].strip())
        if not word:
            continue
        wrong = _judge(word, seen)
        if wrong:
            problems.append(Problem(path, number, *wrong))
            continue
        seen[normalise_guess(word)] = (word, number)
        lines[word] = number
    if len(lines) < MIN_WORDS:
        problems.append(
            Problem(
                path,
                1,
                f"the list has {len(lines):,} usable words",
                f"a list needs at least {MIN_WORDS:,}",
            )
        )
    return WordList(path.stem, path, lines), problems


def _judge(word: str, seen: Mapping[str, tuple[str, int]]) -> tuple[str, str] | None:
    fault = why_unreadable(word)
    if fault is not None:
        return f'"{word[:40]}" {fault}', "write it without"
    if (
        not _WORD.fullmatch(word)
        or _count_letters(word) < _FEWEST_LETTERS
        or len(word) > MAX_LETTERS
    ):
        return (
            f'"{word[:40]}" is not one word of 3 to {MAX_LETTERS} letters',
            "write one word a line",
        )
    first = seen.get(normalise_guess(word))
    if first is None:
        return None
    earlier, line = first
    if earlier == word:
        return f'"{word}" appears twice', f"the first is on line {line}"
    return (
        f'"{word}" counts as the same guess as "{earlier}"',
        f"keep one of them; the other is on line {line}",
    )


def _count_letters(word: str) -> int:
    """Count letters and vowel signs, the parts of Korean syllables, ideographs twice.

    Two ideographs are as much of a word as four letters are elsewhere.
    """
    return len(normalise_guess(word)) + len(_IDEOGRAPH.findall(word))
