"""Codes that a text can be written in, and back: base64, hex, Morse and the like.

Each function turns one run of characters into text, or into nothing.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable

from finetune.guards import alphabets

MORSE = {marks: character for character, marks in alphabets.MORSE.items()}
# With other spellings that people use.
RADIO = frozenset({*alphabets.RADIO.values(), "alpha", "juliet", "whisky"})
DASHES = str.maketrans("·•∙●−–—_‐", "....-----")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def from_base64(run: str) -> str:
    """Decode base64, also in its form for URLs and without padding."""
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    return _from_bytes(lambda: base64.b64decode(bare + "=" * (-len(bare) % 4)))


def from_base32(run: str) -> str:
    """Decode base32."""
    bare = run.rstrip("=").upper()
    return _from_bytes(lambda: base64.b32decode(bare + "=" * (-len(bare) % 8)))


def from_hex(run: str) -> str:
    """Decode pairs of hexadecimal digits, with or without characters between them."""
    pairs = re.findall(r"[0-9a-fA-F]{2}", re.sub(r"0x|\\x|%", "", run))
    return _from_bytes(lambda: bytes(int(pair, 16) for pair in pairs))


def from_binary(run: str) -> str:
    """Decode groups of seven or eight binary digits."""
    groups = re.findall(r"[01]{7,8}", run)
    return "".join(chr(int(group, 2)) for group in groups)


def from_decimal(run: str) -> str:
    """Decode character codes in decimal."""
    codes = [int(code) for code in re.findall(r"\d+", run)]
    return "".join(chr(code) for code in codes if 31 < code < 127)


def from_octal(run: str) -> str:
    """Decode character codes in octal."""
    codes = [int(code, 8) for code in re.findall(r"[0-7]{2,3}", run)]
    return "".join(chr(code) for code in codes if 31 < code < 127)


def from_places(run: str) -> str:
    """Decode positions in the alphabet: 16-1-19-19; a wider gap ends a word."""
    groups = re.split(r"\s*/\s*|\s{2,}|(?<=\d) (?=\d+-)|,\s(?=\d+-)|\s*\|\s*", run)
    numbers = [re.findall(r"\d+", group) for group in groups]
    return " ".join(
        "".join(_ALPHABET[int(n) - 1] for n in group if 0 < int(n) < 27)
        for group in numbers
    )


def from_morse(run: str) -> str:
    """Decode Morse; a slash or a wider gap ends a word."""
    groups = re.split(r"\s*/\s*|\s{2,}|\s*\|\s*", run.translate(DASHES).strip())
    return " ".join(
        "".join(MORSE.get(mark, "") for mark in group.split()) for group in groups
    )


def from_escapes(run: str) -> str:
    r"""Decode \u0041 and U+0041."""
    codes = [int(code, 16) for code in re.findall(r"[0-9a-fA-F]{4,5}", run)]
    return "".join(
        chr(code) for code in codes if code < 0x110000 and not 0xD800 <= code < 0xE000
    )


def from_radio(run: str) -> str:
    """Decode the radio alphabet: papa alfa sierra sierra."""
    words = re.findall(r"[a-z]+", run.lower().replace("x-ray", "xray"))
    return "".join(word[0] for word in words)


def rotated(text: str, steps: int) -> str:
    """Move each Latin letter back by that many steps in the alphabet."""
    moved = _ALPHABET[-steps:] + _ALPHABET[:-steps] if steps else _ALPHABET
    table = str.maketrans(_ALPHABET + _ALPHABET.upper(), moved + moved.upper())
    return text.translate(table)


def mirrored(text: str) -> str:
    """Undo atbash: a is z, b is y."""
    turned = _ALPHABET[::-1]
    return text.translate(
        str.maketrans(_ALPHABET + _ALPHABET.upper(), turned + turned.upper())
    )


def from_pig_latin(word: str) -> list[str]:
    """Return what a word may be in pig latin; nothing if it cannot be.

    "anternlay" and "antern-lay" are lantern; "appleway" and "appleyay" are apple.
    """
    bare = word.lower().replace("-", "")
    if len(bare) < 4 or not bare.endswith("ay"):
        return []
    stem = bare[:-2]
    readings = [stem[:-1]] if stem[-1] in "wy" else []
    for size in range(1, min(4, len(stem))):
        if any(letter in "aeio" for letter in stem[-size:]):
            break
        readings.append(stem[-size:] + stem[:-size])
    return readings


def _from_bytes(decode: Callable[[], bytes]) -> str:
    try:
        return codecs.decode(decode(), "utf-8")
    except (binascii.Error, ValueError):
        return ""
