"""Ways to write a word so that a search for it finds nothing, and back.

Each decoder gets the reply and the secret as bare lower-case letters and digits, and
says whether that way of writing gives the secret away. They are exact: they never
fire on a reply that does not hold the secret in some form.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from finetune.guards.text import fold, words

Decoder = Callable[[str, str], bool]

_LEET = str.maketrans("013457$@!", "oieastsai")
_MORSE = {
    ".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f",
    "--.": "g", "....": "h", "..": "i", ".---": "j", "-.-": "k", ".-..": "l",
    "--": "m", "-.": "n", "---": "o", ".--.": "p", "--.-": "q", ".-.": "r",
    "...": "s", "-": "t", "..-": "u", "...-": "v", ".--": "w", "-..-": "x",
    "-.--": "y", "--..": "z",
}  # fmt: skip
# The radio alphabet, by its first letters: alfa, bravo, charlie …
_RADIO = frozenset({
    "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel",
    "india", "juliett", "juliet", "kilo", "lima", "mike", "november", "oscar", "papa",
    "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "whisky",
    "xray", "yankee", "zulu",
})  # fmt: skip
# Words that a reply puts between letters: "the first letter is l, then an a".
_ARTICLES = frozenset({"a", "i"})
# Shorter words turn up by chance where letters are picked or moved.
_SHORTEST_SHIFTED = 5
_SHORTEST_HIDDEN = 4
_ENDINGS = frozenset({"", "s", "es", "d", "ed", "er", "ing", "ly", "y"})


def is_plain(reply: str, secret: str) -> bool:
    """Find the word itself, also in capitals, with accents or inside a longer word."""
    return _holds(words(reply), secret)


def is_spelled(reply: str, secret: str) -> bool:
    """Find the word in pieces: l-a-n-t-e-r-n, lan tern, "L, then A, then N"."""
    found = words(reply)
    letters = [word for word in found if len(word) == 1]
    bare = [letter for letter in letters if letter not in _ARTICLES]
    return (
        _joins(found, secret)
        or secret in "".join(letters)
        or _without(secret, _ARTICLES) == "".join(bare) != ""
    )


def is_reversed(reply: str, secret: str) -> bool:
    """Find the word from its end, whole or in pieces."""
    found = words(reply)
    turned = secret[::-1]
    return _holds(found, turned) or _joins(found, turned)


def is_acrostic(reply: str, secret: str) -> bool:
    """Find the word in the first letters of lines or of words."""
    if len(secret) < _SHORTEST_HIDDEN:
        return False
    lines = [found for line in reply.splitlines() if (found := words(line))]
    by_line = "".join(found[0][0] for found in lines)
    by_word = "".join(word[0] for word in words(reply))
    return secret in by_line or secret in by_word


def is_leet(reply: str, secret: str) -> bool:
    """Find the word with digits and signs for letters: l4nt3rn."""
    shown = fold(reply).casefold().translate(_LEET)
    return _holds(re.sub(r"[^a-z\s]", "", shown).split(), secret.translate(_LEET))


def is_shifted(reply: str, secret: str) -> bool:
    """Find the word with every letter moved along the alphabet, as rot13 does."""
    if len(secret) < _SHORTEST_SHIFTED or not secret.isascii() or not secret.isalpha():
        return False
    wanted = _steps(secret)
    return any(
        len(word) == len(secret) and word != secret and _steps(word) == wanted
        for word in words(reply)
    )


def is_encoded(reply: str, secret: str) -> bool:
    """Find the word in base64, hexadecimal, binary, character codes or Morse."""
    return any(secret in "".join(words(text)) for text in _decoded(reply))


def is_radio(reply: str, secret: str) -> bool:
    """Find the word in the radio alphabet: lima alfa november …"""
    found = [word for word in words(reply.replace("-", "")) if word in _RADIO]
    return secret in "".join(word[0] for word in found)


DECODERS: dict[str, tuple[Decoder, ...]] = {
    "plain": (is_plain,),
    "spelled": (is_spelled, is_reversed, is_acrostic, is_leet),
    "encoded": (is_shifted, is_encoded, is_radio),
}


def _holds(found: list[str], secret: str) -> bool:
    """Say whether a word is the secret with an ending, or a long word around it."""
    return any(
        (word.startswith(secret) and word[len(secret) :] in _ENDINGS)
        or (len(secret) >= _SHORTEST_SHIFTED and secret in word)
        for word in found
    )


def _joins(found: list[str], secret: str) -> bool:
    """Say whether whole neighbouring words, put together, are the secret."""
    for start, first in enumerate(found):
        run = first
        for word in found[start + 1 :]:
            if not secret.startswith(run):
                break
            run += word
            if run == secret:
                return True
    return False


def _without(text: str, letters: frozenset[str]) -> str:
    return "".join(letter for letter in text if letter not in letters)


def _steps(word: str) -> list[int]:
    return [(ord(b) - ord(a)) % 26 for a, b in pairwise(word)]


def _decoded(reply: str) -> Iterator[str]:
    for run in re.findall(r"[A-Za-z0-9+/]{6,}={0,2}", reply):
        yield _from_base64(run)
    for run in re.findall(r"(?:[0-9a-fA-F]{2}[\s,:]*){3,}", reply):
        yield _from_codes(re.findall(r"[0-9a-fA-F]{2}", run), base=16)
    for run in re.findall(r"(?:[01]{7,8}\W*){3,}", reply):
        yield _from_codes(re.findall(r"[01]{7,8}", run), base=2)
    numbers = re.findall(r"\d+", reply)
    yield _from_codes(numbers, base=10)
    yield "".join(chr(96 + int(n)) for n in numbers if len(n) < 3 and 0 < int(n) < 27)
    marks = reply.translate(str.maketrans("·•−–—_", "..----"))
    yield "".join(_MORSE.get(mark, "") for mark in re.findall(r"[.\-]+", marks))


def _from_base64(run: str) -> str:
    try:
        padded = run.rstrip("=") + "=" * (-len(run.rstrip("=")) % 4)
        return base64.b64decode(padded, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _from_codes(codes: list[str], *, base: int) -> str:
    values = [int(code, base) for code in codes if len(code) <= 8]
    return "".join(chr(value) for value in values if 31 < value < 127)
