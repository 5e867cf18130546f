"""Words that stand in no word list of a language."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from webapp.text.wordlists import LANGUAGES, WORD, is_known, is_latin, word_set

# So large a share of its words a list knows of a text in its language.
_KNOWS: Final = 0.7
# Fewer words than these do not tell a language: they are taken for English.
_TELLING: Final = 5
_SHORTEST: Final = 3


class Spelling(NamedTuple):
    """Words that are in no list, each once, and how many words were looked at."""

    unknown: tuple[str, ...]
    looked_at: int


def language_of(text: str) -> str | None:
    """Return the language that a text seems to be in; None if no list fits."""
    if not is_latin(text):
        return None
    found = word_set(text)
    if len(found) < _TELLING:
        return "en"
    for language in LANGUAGES:
        if sum(is_known(word, language) for word in found) >= _KNOWS * len(found):
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
        if not is_known(folded, language):
            unknown[folded] = None
    return Spelling(tuple(unknown), looked_at)


def _whole_words(text: str) -> Iterator[str]:
    for match in WORD.finditer(text):
        if match.end() < len(text):
            yield match[0]
