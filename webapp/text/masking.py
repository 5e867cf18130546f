"""Covering a word wherever it can be read in a text at a glance."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

import regex

# What may stand between the letters of a word that is spelled out: l-a-n, l, a, n.
_BETWEEN: Final = r"[\p{Z}\p{P}\p{S}\n\t]{1,3}"


def masked(text: str, word: str, mark: str) -> str:
    """Return `text` with `mark` in place of a word, in any case.

    It is covered as it is, spelled out letter by letter, and both from back to front.
    Riddles about it and codes of it stay: whoever solves them has earned it.
    """
    pattern = _pattern(word)
    plain = unicodedata.normalize("NFC", text)
    return pattern.sub(lambda _: mark, plain) if pattern else plain


@lru_cache(maxsize=256)
def _pattern(word: str) -> regex.Pattern[str] | None:
    plain = unicodedata.normalize("NFC", word)
    letters = [regex.escape(c) for c in regex.findall(r"\X", plain) if c.strip()]
    if not letters:
        return None
    ways = (letters, letters[::-1])
    together = ["".join(way) for way in ways]
    apart = [_BETWEEN.join(way) for way in ways] if len(letters) > 1 else []
    return regex.compile("|".join((*together, *apart)), regex.IGNORECASE)
