"""Words in a row that a text has from other texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from webapp.text.words import as_row, words

# Fewer words in a row than these are in any two texts about the same.
FEWEST: Final = 4
_TOKEN: Final = regex.compile(r"[\p{L}\p{N}\p{M}]+")


@dataclass(frozen=True, slots=True)
class Copied:
    """The longest copy: how many words of how many, and the text as it was written."""

    count: int
    of: int
    text: str

    @property
    def share(self) -> float:
        """How much of the whole it is, in 0..1."""
        return self.count / self.of


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, and where each of them is in it."""

    text: str
    words: tuple[str, ...]
    places: tuple[tuple[int, int], ...]

    def copied(self, start: int, count: int) -> Copied:
        begin, end = self.places[start][0], self.places[start + count - 1][1]
        return Copied(count, len(self.words), self.text[begin:end])


def longest_copies(
    texts: Sequence[str],
    sources: Iterable[str],
    *,
    unless_in: Sequence[Sequence[str]] = (),
) -> tuple[Copied | None, ...]:
    """Return the longest row of words that each text has from a source, if any.

    Case and punctuation do not count. A row that is also in one of the texts of
    `unless_in` at the same place does not count: whoever is asked for a known sentence
    has not copied it. Sources are read once, one after the other.
    """
    split = [_split(text) for text in texts]
    found = _matches(split, sources)
    allowed = [
        [as_row(words(text)) for text in unless_in[n]] if unless_in else []
        for n in range(len(texts))
    ]
    return tuple(_longest(each, found[n], allowed[n]) for n, each in enumerate(split))


def _longest(
    text: _Words, matches: set[tuple[int, int]], allowed: list[str]
) -> Copied | None:
    for start, count in sorted(matches, key=lambda m: (-m[1], m[0])):
        row = as_row(text.words[start : start + count])
        if not any(row in other for other in allowed):
            return text.copied(start, count)
    return None


def _matches(
    texts: Sequence[_Words], sources: Iterable[str]
) -> list[set[tuple[int, int]]]:
    """Return start and length of every longest match of each text."""
    begins: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for n, text in enumerate(texts):
        for at in range(len(text.words) - FEWEST + 1):
            begins[text.words[at : at + FEWEST]].append((n, at))
    found: list[set[tuple[int, int]]] = [set() for _ in texts]
    if not begins:
        return found
    for source in sources:
        theirs = tuple(words(source))
        for at in range(len(theirs) - FEWEST + 1):
            for n, start in begins.get(theirs[at : at + FEWEST], ()):
                mine = texts[n].words
                if start and at and mine[start - 1] == theirs[at - 1]:
                    continue  # a part of the match that began one word before
                found[n].add((start, _length(mine, start, theirs, at)))
    return found


def _length(mine: tuple[str, ...], start: int, theirs: tuple[str, ...], at: int) -> int:
    most = min(len(mine) - start, len(theirs) - at)
    for count in range(FEWEST, most):
        if mine[start + count] != theirs[at + count]:
            return count
    return most


def _split(text: str) -> _Words:
    found: list[str] = []
    places: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text):
        for word in words(match[0]):
            found.append(word)
            places.append(match.span())
    return _Words(text, tuple(found), tuple(places))
