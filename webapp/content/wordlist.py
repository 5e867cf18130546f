"""Reads a list of secret words: one a line, `#` starts a comment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webapp.reading.problems import Problem
from webapp.reading.tree import TreeProblem, decode
from webapp.security import normalise_guess

# With fewer words, players would guess each other's by chance.
MIN_WORDS: Final = 2_000

_WORD = re.compile(r"[^\W\d_]{3,30}")


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
        word = raw.partition("#")[0].strip()
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
    if not _WORD.fullmatch(word):
        return (
            f'"{word[:40]}" is not one word of 3 to 30 letters',
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
