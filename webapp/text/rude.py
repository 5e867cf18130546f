"""Masks for rude words, for classes that want them.

The words are those of glin-profanity, in English and German, each on its own: phrases
and disguised spellings are left alone, and so are words that a lesson may need.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from glin_profanity import Filter
from glin_profanity.utils.unicode import normalize_unicode

from webapp.once import once

# Forms of the library's words that are not in its lists.
_ALSO: Final = (
    "arseholes",
    "assholes",
    "bastards",
    "cunts",
    "dickhead",
    "dickheads",
    "dicks",
    "faggots",
    "fucked",
    "fuckers",
    "fucks",
    "motherfuckers",
    "motherfucking",
    "niggers",
    "retards",
    "shits",
    "sluts",
    "tossers",
    "twats",
    "wanker",
    "wankers",
    "whore",
    "whores",
)
MASK: Final = "•"
_ASCII_WORD: Final = re.compile(r"[a-z0-9_]+")
_ANY_WORD: Final = re.compile(r"\w+")
_LANGUAGES: Final = ("english", "german")
# In the library's lists, and harmless or needed where people learn.
_LEFT_ALONE: Final = (
    "anus",
    "bareback",
    "bastinado",
    "bondage",
    "bs",
    "domination",
    "eunuch",
    "escort",
    "genitals",
    "hoe",
    "incest",
    "intercourse",
    "neonazi",
    "nude",
    "nudity",
    "paedophile",
    "pedophile",
    "playboy",
    "rectum",
    "sadism",
    "scat",
    "semen",
    "sex",
    "simp",
    "snatch",
    "spunk",
    "strappado",
    "suck",
    "sucks",
    "swastika",
    "swinger",
    "twinkie",
    "undressing",
    "xx",
)


def masked(text: str) -> str:
    """Return a text with each rude word as dots, as many as it has characters."""
    if not _may_have_one(text):
        return text
    lines = text.splitlines(keepends=True)
    return "".join(map(_masked_line, lines))


def is_in(text: str) -> bool:
    """Tell whether a text has a rude word."""
    return masked(text) != text


def _may_have_one(text: str) -> bool:
    """Tell quickly of most texts that they have none: the library takes its time."""
    small = text.lower()
    if not text.isascii():
        strange = " ".join(word for word in text.split() if not word.isascii())
        small = f"{small} {normalize_unicode(strange).lower()}"
    whole, others = _words()
    found = {*_ASCII_WORD.findall(small), *_ANY_WORD.findall(small)}
    return not whole.isdisjoint(found) or others.search(small) is not None


@once
def _words() -> tuple[frozenset[str], re.Pattern[str]]:
    """Return the words that are made of letters, and what finds all others."""
    words = {word for word in _filter().words if " " not in word} - {*_LEFT_ALONE}
    whole = frozenset(word for word in words if _ANY_WORD.fullmatch(word))
    return whole, re.compile("|".join(map(re.escape, sorted(words - whole))) or r"(?!)")


def _masked_line(line: str) -> str:
    if not _may_have_one(line):
        return line
    found = _filter().check_profanity(line)
    characters = list(line)
    for match in found.get("matches") or ():
        word, start = match["word"], match["index"]
        if " " in word:
            continue
        end = _end_of_word(line, start + len(word))
        characters[start:end] = MASK * len(characters[start:end])
    shown = "".join(characters)
    # Of a word that is spelled in two ways, only one is told at a time.
    return line if shown == line else _masked_line(shown)


class Stream:
    """Masks a text that comes in pieces: a word is shown once it is whole."""

    def __init__(self) -> None:
        self._text = ""
        self._shown = 0

    def add(self, piece: str) -> str:
        """Take a piece; return what can be shown now, which may be nothing."""
        self._text += piece
        return self._up_to(_last_end(self._text))

    def end(self) -> str:
        """Return the rest."""
        return self._up_to(len(self._text))

    def _up_to(self, end: int) -> str:
        if end <= self._shown:
            return ""
        fresh = masked(self._text[:end])[self._shown :]
        self._shown = end
        return fresh


def _end_of_word(text: str, end: int) -> int:
    """Return where the word ends of which `end` is a place: marks belong to letters."""
    while end < len(text) and unicodedata.category(text[end])[0] in "LM":
        end += 1
    return end


def _last_end(text: str) -> int:
    """Return where the last word that is certainly whole ends, with its blank."""
    return max((n for n, sign in enumerate(text, 1) if sign.isspace()), default=0)


@once
def _filter() -> Filter:
    return Filter(
        {
            "languages": list(_LANGUAGES),
            "custom_words": list(_ALSO),
            "ignore_words": list(_LEFT_ALONE),
            # The names in it, such as a captain and his whale, stay as they are.
            "obfuscation": {"level": "off", "builtin_whitelist": True},
        }
    )
