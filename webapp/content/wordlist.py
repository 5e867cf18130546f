"""Reads a list of secret words: one a line, `#` starts a comment."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
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
    try:
        lines, wrong = _read(data)
    except TreeProblem as error:
        return WordList(path.stem, path, {}), [error.at(path)]
    problems = [Problem(path, *one) for one in wrong]
    return WordList(path.stem, path, lines), problems


# All content is read again whenever a file changes, and that is seldom a list.
@lru_cache(maxsize=8)
def _read(data: bytes) -> tuple[Mapping[str, int], tuple[tuple[int, str, str], ...]]:
    """Return words with their lines, and what is wrong on which line."""
    lines: dict[str, int] = {}
    problems: list[tuple[int, str, str]] = []
    seen: dict[str, tuple[str, int]] = {}
    for number, raw in enumerate(decode(data).splitlines(), 1):
        word = unicodedata.normalize("NFC", raw.partition("#")[0].strip())
        if not word:
            continue
        wrong = _judge(word, seen)
        if wrong:
            problems.append((number, *wrong))
            continue
        seen[normalise_guess(word)] = (word, number)
        lines[word] = number
    if len(lines) < MIN_WORDS:
        few = f"the list has {len(lines):,} usable words"
        problems.append((1, few, f"a list needs at least {MIN_WORDS:,}"))
    return MappingProxyType(lines), tuple(problems)


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
