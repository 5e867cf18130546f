"""The alphabet of byte-level tokenizers: a character that can be printed for each byte.

Bytes that are printable stand for themselves, the others for characters from U+0100 on
(Radford et al. 2019, GPT-2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final


def _letters() -> Iterator[tuple[int, str]]:
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    odd = 0x100
    for byte in range(256):
        if byte in printable:
            yield byte, chr(byte)
        else:
            yield byte, chr(odd)
            odd += 1


LETTERS: Final[dict[int, str]] = dict(_letters())
_BYTES: Final[dict[str, int]] = {letter: byte for byte, letter in LETTERS.items()}


def token_bytes(token: str) -> bytes:
    """Return the bytes that a token is written for; raise ValueError if it is none."""
    try:
        return bytes(_BYTES[letter] for letter in token)
    except KeyError:
        raise ValueError("a token that is not written in bytes") from None
