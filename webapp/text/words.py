"""Words: where they begin and end, and when two are the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

import regex

from webapp.text.characters import ACCENTS, IGNORABLE, edges, without_invisible

# Scripts without spaces between words: there, each character is taken by itself.
UNSPACED: Final = (
    r"\p{Line_Break=Complex_Context}\p{Han}\p{scx=Hiragana}\p{scx=Katakana}"
)
_WORD = regex.compile(
    rf"(?V1)(?=[[{UNSPACED}]&&[\p{{L}}\p{{N}}]])\X"
    rf"|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED}]]*"
)
_COUNTED = regex.compile(
    rf"(?V1)(?=[[{UNSPACED}]&&[\p{{L}}\p{{N}}]])\X|(?:[\S--[{UNSPACED}]])+"
)
_LETTER = regex.compile(r"[\p{L}\p{N}]")
# A full stop ends a sentence if a space follows, and not after such a word.
_SENTENCE_END = regex.compile(
    r"(?:(?<![.…])(?!(?:…|\.{3}) \p{Ll})[.!?…]+[\"'”’»)\]*_]*(?=\s|$)|[。！？।؟۔]+|\n)"
)
_SHORT_FORM = regex.compile(
    r"(?:^|[\s(\"])(?:mr|mrs|ms|dr|st|prof|vs|etc|e\.g|i\.e|[\p{L}--[iI]])\.$"
    r"|(?:^|\n)\s*\d+\.$",
    flags=regex.IGNORECASE | regex.V1,
)
_NOT_GUESSED = regex.compile(rf"(?V1)[[^\p{{L}}\p{{N}}\p{{M}}]{ACCENTS}{IGNORABLE}]+")
# No word contains it.
_BETWEEN = "\n"


def fold(text: str) -> str:
    """Return a text as it is compared: without case, however its accents are stored."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", plain)


def find_key(text: str) -> str:
    """Return a text as it is searched: `fold`, and any style of letter is a plain one.

    What is invisible does not count.
    """
    if text.isascii():
        return text.lower()
    return fold(unicodedata.normalize("NFKC", without_invisible(text)))


def words(text: str) -> list[str]:
    """Return the words of a text, folded and without invisible characters.

    Chinese, Japanese, Thai and their like put no spaces between words, and only a
    dictionary could tell where one ends. There, each character is a word of its own,
    and a word of such a script is found wherever its characters stand in a row.
    """
    found: list[str] = _WORD.findall(fold(without_invisible(text)))
    return found


def count_words(text: str) -> int:
    """Return how many words a person counts: `don't` is one, and a dash is none.

    In scripts without spaces each character is one, as in `words`.
    """
    found = _COUNTED.findall(without_invisible(text))
    return sum(_LETTER.search(word) is not None for word in found)


def count_sentences(text: str) -> int:
    """Return how many sentences a text has; a line ends one, too.

    `Dr. Lee paid 3.50, e.g. in coins.` is one, and the number of a list item is none.
    """
    count, start = 0, 0
    for match in _SENTENCE_END.finditer(text):
        is_last = not text[match.end() :].strip()
        if not is_last and match[0] == "." and _SHORT_FORM.search(text[: match.end()]):
            continue
        count += _LETTER.search(text, start, match.start()) is not None
        start = match.end()
    return count + (_LETTER.search(text, start) is not None)


def as_row(words: Iterable[str]) -> str:
    """Return words as one text, in which `in` finds a row of whole words."""
    return _BETWEEN + "".join(f"{word}{_BETWEEN}" for word in words)


def holds(text: str, part: str) -> bool:
    """Say whether `part` stands in `text` between whole characters.

    So `क` is not in `की`, and `e` is not in `é`, however that is stored. Both texts
    are compared as they are: fold them first.
    """
    at = text.find(part)
    if at < 0 or text.isascii():
        return at >= 0
    between = edges(text)
    while at >= 0:
        if at in between and at + len(part) in between:
            return True
        at = text.find(part, at + 1)
    return False


def normalise_guess(text: str) -> str:
    """Keep the letters and digits of a guess, without case, accents or spaces.

    Vowel signs are letters here: `का` is another guess than `की`.
    """
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower()))
    plain = _NOT_GUESSED.sub("", unicodedata.normalize("NFKD", text))
    return str(plain).casefold()
