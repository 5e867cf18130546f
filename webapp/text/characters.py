"""Characters as a reader sees them, and those that nobody can see."""

from __future__ import annotations

import unicodedata
from typing import Final

import regex

# UTS #39, section 5.4: no language stacks more of them on one letter.
MOST_MARKS: Final = 4

# Accents, Hebrew points and Arabic vowel signs, by canonical combining class, and what
# is drawn around a letter. Left out are the marks that make another letter or syllable:
# vowel signs of Indian and Thai scripts, viramas, nuktas and the voicing of Japanese.
_ACCENT_CLASSES: Final = (
    *range(10, 37),
    202, 214, 216, 218, 220, 222, 224, 226, 228, 230, 232, 233, 234, 240,
)  # fmt: skip
ACCENTS: Final = r"\p{Me}" + "".join(
    rf"\p{{ccc={number}}}" for number in _ACCENT_CLASSES
)
IGNORABLE: Final = r"\p{Default_Ignorable_Code_Point}"
# Unicode counts braille without dots, the head of a note that is not drawn and the
# filler of Khitan as symbols and marks. The controls (C) have \n and \t among them.
UNSEEN: Final = rf"{IGNORABLE}\p{{C}}\u2800\U0001d159\U00016fe4"

_CHARACTER = regex.compile(r"\X")
_ACCENTS = regex.compile(f"[{ACCENTS}]+")
_INVISIBLE = regex.compile(f"{IGNORABLE}+")
_BLANK = regex.compile(rf"[{UNSEEN}\p{{White_Space}}]*")
_TOWER = regex.compile(rf"[\p{{Mn}}\p{{Me}}]{{{MOST_MARKS + 1}}}")


def characters(text: str) -> list[str]:
    """Return what a reader sees as characters; `की` is one, a family of emoji, too."""
    found: list[str] = _CHARACTER.findall(text)
    return found


def count_characters(text: str) -> int:
    """Return how many characters a reader sees."""
    return len(text) if _is_plain(text) else len(characters(text))


def edges(text: str) -> frozenset[int]:
    """Return the positions between which whole characters stand, both ends included."""
    return frozenset({0, *(match.end() for match in _CHARACTER.finditer(text))})


def without_invisible(text: str) -> str:
    """Drop what is not drawn: zero-width spaces, joiners, soft hyphens, fillers."""
    return text if text.isascii() else str(_INVISIBLE.sub("", text))


def without_accents(text: str) -> str:
    """Return a text in compatible, decomposed form without accents.

    Vowel signs stay: they are no more an accent than the `i` of `ki` is.
    """
    if text.isascii():
        return text
    return str(_ACCENTS.sub("", unicodedata.normalize("NFKD", text)))


def is_blank(text: str) -> bool:
    """Say whether nothing of a text can be seen."""
    return _BLANK.fullmatch(text) is not None


def has_tower(text: str) -> bool:
    """Say whether a letter carries so many marks that they grow out of the line."""
    if text.isascii():
        return False
    return _TOWER.search(unicodedata.normalize("NFD", text)) is not None


def _is_plain(text: str) -> bool:
    return text.isascii() and "\r" not in text
