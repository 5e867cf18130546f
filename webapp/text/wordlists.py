"""Word lists of seven languages: which words of a text they know."""

from __future__ import annotations

from functools import cache
from typing import Final

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
WORD: Final = regex.compile(r"\p{Latin}[\p{Latin}\p{M}]*(?:['’]\p{Latin}+)*")
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


def is_latin(text: str) -> bool:
    """Say whether a text has letters, and half of them or more are Latin ones."""
    letters = len(_LETTER.findall(text))
    return bool(letters) and 2 * len(_OTHER_SCRIPT.findall(text)) <= letters


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as the lists have them."""
    return frozenset(w.casefold().replace("’", "'") for w in WORD.findall(text))


def is_known(word: str, language: str) -> bool:
    """Say whether a word, as in `word_set`, stands in the list of a language."""
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
