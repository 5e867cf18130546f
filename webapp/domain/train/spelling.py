"""Words that stand in no word list of a language."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Final, NamedTuple

import regex
from spellchecker import SpellChecker

# Tried in this order; a list takes half a second and some 30 MB when it is first used.
LANGUAGES: Final = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "de": "German",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
}
# So large a share of its words a list knows of a text in its language.
_KNOWS: Final = 0.7
# Fewer words than these do not tell a language: they are taken for English.
_TELLING: Final = 5
_SHORTEST: Final = 3
_WORD: Final = regex.compile(r"\p{Latin}[\p{Latin}\p{M}]*(?:['’]\p{Latin}+)*")
_OTHER_SCRIPT: Final = regex.compile(r"[\p{L}--\p{Latin}]", flags=regex.V1)
_LETTER: Final = regex.compile(r"\p{L}")
# The lists of English are American; these lead from British spellings to theirs.
_AMERICAN: Final = (
    ("our", "or"),
    ("is", "iz"),
    ("ys", "yz"),
    ("ll", "l"),
    ("l", "ll"),
    ("re", "er"),
    ("ae", "e"),
    ("oe", "e"),
    ("ogue", "og"),
    ("ence", "ense"),
    ("amme", "am"),
)


class Spelling(NamedTuple):
    """Words that are in no list, each once, and how many words were looked at."""

    unknown: tuple[str, ...]
    looked_at: int


def language_of(text: str) -> str | None:
    """Return the language that a text seems to be in; None if no list fits."""
    letters = len(_LETTER.findall(text))
    if not letters or 2 * len(_OTHER_SCRIPT.findall(text)) > letters:
        return None
    found = {word.casefold() for word in _WORD.findall(text)}
    if len(found) < _TELLING:
        return "en"
    for language in LANGUAGES:
        if sum(_is_known(word, language) for word in found) >= _KNOWS * len(found):
            return language
    return None


def spelling(text: str, *, language: str, also: Collection[str]) -> Spelling:
    """Return the words of a text that neither the list nor `also` (folded) knows.

    Names are not looked at: what begins with a capital may be one. Nor is a last word
    that the end of the reply may have cut off.
    """
    unknown: dict[str, None] = {}
    looked_at = 0
    for word in _whole_words(text):
        looked_at += 1
        folded = word.casefold().replace("’", "'")
        if len(word) < _SHORTEST or word[0].isupper() or folded in also:
            continue
        if not _is_known(folded, language):
            unknown[folded] = None
    return Spelling(tuple(unknown), looked_at)


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as `spelling` compares them."""
    return frozenset(w.casefold().replace("’", "'") for w in _WORD.findall(text))


def _whole_words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        if match.end() < len(text):
            yield match[0]


def _is_known(word: str, language: str) -> bool:
    known = _list(language)
    stem = word.removesuffix("'s")
    if word in known or stem in known:
        return True
    if language != "en":
        return False
    return any(
        stem[:at] + after + stem[at + len(before) :] in known
        for before, after in _AMERICAN
        for at in range(len(stem) - len(before) + 1)
        if stem.startswith(before, at)
    )


@cache
def _list(language: str) -> frozenset[str]:
    checker = SpellChecker(language=language)
    return frozenset(checker.word_frequency.words())
