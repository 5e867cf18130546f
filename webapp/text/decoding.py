"""Ways in which a reply can hide a word, undone: each gives letters to look in.

Nothing here knows a secret. A clue is a row of small letters, how strongly it speaks
if it is a word of the list as a whole, and how strongly if a word only lies inside it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import regex

from webapp.text.characters import (
    count_characters,
    without_accents,
    without_invisible,
)


@dataclass(frozen=True, slots=True)
class Clue:
    """Letters that a reply gave in some disguise.

    `whole` and `inside` are weights up to 100; 0 means that it says nothing then.
    `near` also accepts a word that differs in one letter: models misspell.
    """

    letters: str
    whole: int
    inside: int = 0
    near: bool = False


_MORSE: Final = {
    ".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f",
    "--.": "g", "....": "h", "..": "i", ".---": "j", "-.-": "k", ".-..": "l",
    "--": "m", "-.": "n", "---": "o", ".--.": "p", "--.-": "q", ".-.": "r",
    "...": "s", "-": "t", "..-": "u", "...-": "v", ".--": "w", "-..-": "x",
    "-.--": "y", "--..": "z",
}  # fmt: skip
RADIO: Final = frozenset({
    "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel",
    "india", "juliett", "juliet", "kilo", "lima", "mike", "november", "oscar", "papa",
    "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "whisky",
    "xray", "yankee", "zulu",
})  # fmt: skip
# What comes between letters that somebody spells out.
_BETWEEN: Final = frozenset({
    "and", "then", "an", "the", "by", "is", "it", "next", "comes", "after", "that",
    "followed", "finally", "last", "letter", "letters", "dash", "hyphen", "space",
    "comma", "dot", "first", "second", "third", "fourth", "fifth", "sixth", "seventh",
    "eighth", "ninth", "tenth", "as", "in", "for", "like", "capital", "lowercase",
})  # fmt: skip
_LEET: Final = ("0o", "1i", "3e", "4a", "5s", "7t", "8b", "9g", "6g", "2z", "@a", "$s",
                "!i", "+t", "|l")  # fmt: skip
_LEET_TABLES: Final = tuple(
    str.maketrans({pair[0]: pair[1] for pair in (*_LEET, f"1{one}", f"!{one}")})
    for one in "il"
)
_SHORTEST_SHIFTED: Final = 5

_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_JOINED = re.compile(r"[^\W\d_]+(?:\s?[-–—_.·•*|/+~:]\s?[^\W\d_]+)+")
_MARKER = re.compile(r"^\W*(?:\d+\W+)?")


def plain(text: str) -> str:
    """Return a text without accents, wide or circled letters, invisible characters."""
    return "".join(map(_flag_letter, without_invisible(without_accents(text))))


def tokens(text: str) -> list[str]:
    """Return the words of a text in small letters; `LampOil` is two."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text)
    found: list[str] = _WORD.findall(split.casefold())
    return found


def clues(text: str) -> Iterator[Clue]:
    """Yield what each way of reading finds in the plain text of a reply."""
    for decode in WAYS.values():
        yield from decode(text)


def spelled(text: str) -> str:
    """Return all letters that stand alone, in their order: `L, then A` is `la`."""
    return "".join(word for word in tokens(text) if count_characters(word) == 1)


def radio(text: str) -> str:
    """Return the letters that the words of the radio alphabet in a text stand for."""
    words = [word for word in tokens(text.replace("-", "")) if word in RADIO]
    return "".join(word[0] for word in words)


def _flag_letter(char: str) -> str:
    # Flags of countries are pairs of letters of their own, which look like letters.
    number = ord(char) - 0x1F1E6
    return f" {chr(97 + number)} " if 0 <= number < 26 else char


def _both_ways(
    letters: str, whole: int, inside: int, *, near: bool = True
) -> Iterator[Clue]:
    yield Clue(letters, whole, inside, near)
    yield Clue(letters[::-1], whole - 5, inside - 5)


def _spelled_runs(text: str) -> Iterator[Clue]:
    """Letters one by one, with nothing or with small words in between."""
    strict, loose = "", ""
    for word in [*tokens(text), "end of text"]:
        if len(word) == 1:
            strict, loose = strict + word, loose + word
            continue
        if len(strict) >= 3:
            yield from _both_ways(strict, 95, 80)
        strict = ""
        if word not in _BETWEEN:
            if len(loose) >= 3:
                yield from _both_ways(loose, 90, 75)
            loose = ""
    letters = spelled(text)
    if len(letters) >= 3:
        yield from _both_ways(letters, 85, 70)


def _joined_pieces(text: str) -> Iterator[Clue]:
    """Pieces held together by dashes, dots and such: l-a-n or lan-tern."""
    for run in _JOINED.findall(text):
        letters = "".join(_WORD.findall(run)).casefold()
        # A dot or colon also ends a sentence: only short pieces are surely pieces.
        if all(len(piece) <= 4 for piece in _WORD.findall(run)):
            yield from _both_ways(letters, 92, 60)
        else:
            yield from _both_ways(letters, 60, 0, near=False)


def _reversed_words(text: str) -> Iterator[Clue]:
    for word in tokens(text):
        yield Clue(word[::-1], 80)
    letters = "".join(tokens(text))[::-1]
    yield Clue(letters, 80, 30)


def _acrostics(text: str) -> Iterator[Clue]:
    """First and last letters of lines and words, and the capitals."""
    lines = [_MARKER.sub("", line) for line in text.splitlines()]
    by_line = [words for words in map(tokens, lines) if words]
    if len(by_line) >= 3:
        yield Clue("".join(words[0][0] for words in by_line), 76, 66)
        yield Clue("".join(words[-1][-1] for words in by_line), 45)
    for part in (text, *re.split(r"[.!?\n]+|:\s", text)):
        words = tokens(part)
        yield Clue("".join(word[0] for word in words), 65, 34)
        yield Clue("".join(word[-1] for word in words), 35)
    capitals = [word for word in _WORD.findall(text) if word[0].isupper()]
    yield Clue("".join(word[0] for word in capitals).casefold(), 60, 33)
    yield Clue("".join(s for s in text if s.isupper()).casefold(), 55, 31)


def _radio_words(text: str) -> Iterator[Clue]:
    if letters := radio(text):
        yield from _both_ways(letters, 90, 82)


def _morse(text: str) -> Iterator[Clue]:
    marks = text.translate(str.maketrans("·•∙•−–—_", "....----"))
    codes = re.findall(r"(?<![\w.-])[.\-]{1,4}(?![\w.-])", marks)
    if len(codes) >= 3:
        letters = "".join(_MORSE.get(code, "") for code in codes)
        yield from _both_ways(letters, 88, 70)


def _numbers(text: str) -> Iterator[Clue]:
    numbers = [int(n) for n in re.findall(r"\d+", text) if len(n) <= 3]
    places = [n for n in numbers if 0 < n < 27]
    if len(places) >= 3:
        yield from _both_ways("".join(chr(96 + n) for n in places), 86, 60)
    yield from _codes(numbers)


def _codes(values: list[int]) -> Iterator[Clue]:
    shown = "".join(chr(value) for value in values if 65 <= value <= 122)
    letters = "".join(_WORD.findall(shown)).casefold()
    if len(letters) >= 3:
        yield from _both_ways(letters, 88, 70)


def _hex_and_binary(text: str) -> Iterator[Clue]:
    for run in re.findall(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,:;-]*){3,}", text):
        pairs = re.findall(r"(?:0x|\\x)?([0-9a-fA-F]{2})", run)
        yield from _codes([int(pair, 16) for pair in pairs])
    for run in re.findall(r"(?:[01]{7,8}[\s,:;-]*){3,}", text):
        yield from _codes([int(code, 2) for code in re.findall(r"[01]{7,8}", run)])


def _base64(text: str) -> Iterator[Clue]:
    for run in re.findall(r"[A-Za-z0-9+/]{4,}={0,2}", text):
        bare = run.rstrip("=")
        try:
            data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        if data.isascii():
            for word in tokens(data.decode()):
                yield Clue(word, 92, 40)


def _shifted(text: str) -> Iterator[Clue]:
    """Every letter moved along the alphabet, halfway round most of all."""
    for word in tokens(text):
        if len(word) < _SHORTEST_SHIFTED or not word.isascii():
            continue
        for step in range(1, 26):
            moved = "".join(chr(97 + (ord(char) - 97 + step) % 26) for char in word)
            yield Clue(moved, 72 if step == 13 else 28)


def _leet(text: str) -> Iterator[Clue]:
    for run in re.findall(r"[\w@$!+|]{4,}", text.casefold()):
        if any(s.isalpha() for s in run) and not run.isalpha():
            for table in _LEET_TABLES:
                yield Clue("".join(_WORD.findall(run.translate(table))), 74, 25)


def _games(text: str) -> Iterator[Clue]:
    """Pig Latin, and letters written twice."""
    for word in tokens(text):
        if len(word) > 5 and word.endswith("ay"):
            stem = word.removesuffix("ay")
            yield Clue(stem.removesuffix("w"), 50)
            for size in range(4):
                yield Clue(stem[len(stem) - size :] + stem[: len(stem) - size], 50)
        if len(word) > 7 and word[::2] == word[1::2]:
            yield Clue(word[::2], 60)


WAYS: Final[Mapping[str, Callable[[str], Iterator[Clue]]]] = MappingProxyType(
    {
        "spelled": _spelled_runs,
        "joined": _joined_pieces,
        "reversed": _reversed_words,
        "first-letters": _acrostics,
        "radio": _radio_words,
        "morse": _morse,
        "numbers": _numbers,
        "hex": _hex_and_binary,
        "base64": _base64,
        "shifted": _shifted,
        "leet": _leet,
        "games": _games,
    }
)
