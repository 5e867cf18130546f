"""A tokenizer as it is shown: which piece of a text has which number.

Places are counted in the bytes of the text in UTF-8, since a piece may be a part of a
character. A tokenizer is *exact* if its pieces are the very bytes of the text; others
read a changed text, such as one in small letters.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Protocol

from tokenizers import Encoding, Tokenizer

from finetune.data.cutting.alphabet import token_bytes

# Halves of pairs in UTF-16 are no characters, and nothing comes after the last one.
_HALVES: Final = range(0xD800, 0xE000)
_CHARACTERS: Final = 0x110000


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of a text. A mark is a special token; an added one has no bytes."""

    id: int
    name: str
    start: int
    end: int
    is_mark: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """One number as a tokenizer reads it; `name` is None if it has no such number."""

    id: int
    name: str | None
    content: bytes = b""
    is_mark: bool = False


class Fitting(NamedTuple):
    """How texts are made equally long: the side, or "" for not at all."""

    padding: str
    truncation: str
    longest: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text of a batch: its tokens, the mask of what is no padding, what was cut."""

    pieces: tuple[Known, ...]
    mask: tuple[int, ...]
    lost: int


class Cutter(Protocol):
    """Cuts texts into tokens, and puts them together again."""

    is_exact: bool
    size: int
    marks: tuple[str, ...]
    pad: Known | None

    def cut(self, text: str, *, marks: bool) -> list[Piece]:
        """Return the tokens of a text.

        With `marks` a special token that is written in the text is read as one, and
        those are added that the tokenizer puts around every text.
        """

    def join(self, ids: Sequence[int]) -> tuple[str, list[Known]]:
        """Return the text that numbers stand for, and each of them."""

    def fit(self, text: str, fitting: Fitting, *, marks: bool) -> Fitted:
        """Return a text cut to the longest length; nothing is padded yet."""


def pad_all(rows: Sequence[Fitted], fitting: Fitting, pad: Known) -> list[Fitted]:
    """Return the rows, all as long as the longest of them."""
    longest = max(len(row.pieces) for row in rows)
    found = []
    for row in rows:
        missing = longest - len(row.pieces)
        fill, none = (pad,) * missing, (0,) * missing
        if fitting.padding == "left":
            row = replace(row, pieces=fill + row.pieces, mask=none + row.mask)
        elif fitting.padding == "right":
            row = replace(row, pieces=row.pieces + fill, mask=row.mask + none)
        found.append(row)
    return found


class TokenizerCutter:
    """A tokenizer of the package `tokenizers`. Safe to use from many threads."""

    def __init__(self, plain: Tokenizer) -> None:
        plain.no_padding()
        plain.no_truncation()
        self._reading = plain
        # In this one, the names of special tokens are text as any other.
        self._plain = Tokenizer.from_str(plain.to_str())
        self._plain.encode_special_tokens = True
        told = json.loads(plain.to_str())
        self._by_bytes = _is_by_bytes(told)
        # Grows with what was asked; two threads write the same.
        self._seen: dict[int, Known] = {}
        self._added = {one["id"]: one["content"] for one in told["added_tokens"]}
        self._special = frozenset(
            one["id"] for one in told["added_tokens"] if one["special"]
        )
        self.marks = tuple(
            one["content"] for one in told["added_tokens"] if one["special"]
        )
        self.is_exact = self._by_bytes and told["normalizer"] is None
        self.size = plain.get_vocab_size()
        self.pad = self._pad()

    def cut(self, text: str, *, marks: bool) -> list[Piece]:
        """Return the tokens of a text; see `Cutter`."""
        reading = self._reading if marks else self._plain
        found = reading.encode(text, add_special_tokens=marks)
        walked = self._walk(found, text.encode()) if self.is_exact else None
        return self._by_offsets(found, text) if walked is None else walked

    def join(self, ids: Sequence[int]) -> tuple[str, list[Known]]:
        """Return the text that numbers stand for, and each of them."""
        known = [self._known(number) for number in ids]
        if self._by_bytes:
            text = b"".join(one.content for one in known).decode(errors="replace")
        else:
            there = [one.id for one in known if one.name is not None]
            text = self._reading.decode(there, skip_special_tokens=False)
        return text, known

    def fit(self, text: str, fitting: Fitting, *, marks: bool) -> Fitted:
        """Return a text cut to the longest length: what is added has its place."""
        reading = self._reading if marks else self._plain
        found = reading.encode(text, add_special_tokens=False)
        before = len(found.ids)
        if fitting.truncation:
            added = reading.num_special_tokens_to_add(False) if marks else 0
            room = max(0, fitting.longest - added)
            found.truncate(room, direction=fitting.truncation)
        lost = before - len(found.ids)
        if marks:
            found = reading.post_process(found, add_special_tokens=True)
        pieces = tuple(self._known(number) for number in found.ids)
        return Fitted(pieces, (1,) * len(pieces), lost)

    def _walk(self, found: Encoding, content: bytes) -> list[Piece] | None:
        """Lay the tokens along the text; None if they are not its bytes after all.

        A byte that has no token was dropped, and is in no other one.
        """
        pieces, place = [], 0
        for number, is_added in zip(found.ids, found.special_tokens_mask, strict=True):
            known = self._known(number)
            size = 0 if is_added else len(known.content)
            place = content.find(known.content, place) if size else place
            if place < 0:
                return None
            pieces.append(self._piece(known, place, place + size))
            place += size
        return pieces

    def _by_offsets(self, found: Encoding, text: str) -> list[Piece]:
        """Take the places from the tokenizer: it counts characters, not bytes."""
        sizes = (len(character.encode()) for character in text)
        byte_of = [0, *itertools.accumulate(sizes)]
        pieces, place = [], 0
        for number, (start, end) in zip(found.ids, found.offsets, strict=True):
            begin, end = byte_of[start], byte_of[end]
            if begin == end:
                begin = end = place
            pieces.append(self._piece(self._known(number), begin, end))
            place = max(place, end)
        return pieces

    def _known(self, number: int) -> Known:
        found = self._seen.get(number)
        if found is None:
            found = self._look_up(number)
            if found.name is not None:
                self._seen[number] = found
        return found

    def _look_up(self, number: int) -> Known:
        if number in self._added:
            name = self._added[number]
            return Known(number, name, name.encode(), number in self._special)
        name = self._reading.id_to_token(number)
        if name is None:
            return Known(number, None)
        return Known(number, name, token_bytes(name) if self._by_bytes else b"")

    def _piece(self, known: Known, start: int, end: int) -> Piece:
        return Piece(known.id, known.name or "", start, end, known.is_mark)

    def _pad(self) -> Known | None:
        """Return what fills up: a token made for it, else what ends a text."""
        for name in ("[PAD]", "<pad>", "<|pad|>", "<|im_end|>", "<|endoftext|>"):
            number = self._reading.token_to_id(name)
            if number is not None and number in self._added:
                return self._known(number)
        return self._known(min(self._special)) if self._special else None


class CharacterCutter:
    """Every character is a token, and its number is the one that Unicode gives it."""

    is_exact = True
    size = _CHARACTERS - len(_HALVES)
    marks: tuple[str, ...] = ()
    # The null character: no text has it.
    pad: Known | None = Known(0, "\0", b"\0")

    def cut(self, text: str, *, marks: bool) -> list[Piece]:
        """Return the characters of a text; there are no special tokens."""
        pieces, place = [], 0
        for character in text:
            end = place + len(character.encode())
            pieces.append(Piece(ord(character), character, place, end))
            place = end
        return pieces

    def join(self, ids: Sequence[int]) -> tuple[str, list[Known]]:
        """Return the text that numbers stand for, and each of them."""
        known = [_character(number) for number in ids]
        return "".join(one.name or "" for one in known), known

    def fit(self, text: str, fitting: Fitting, *, marks: bool) -> Fitted:
        """Return a text cut to the longest length."""
        kept = text
        if fitting.truncation == "right":
            kept = text[: fitting.longest]
        elif fitting.truncation == "left":
            kept = text[max(0, len(text) - fitting.longest) :]
        pieces = tuple(_character(ord(character)) for character in kept)
        return Fitted(pieces, (1,) * len(pieces), len(text) - len(kept))


def _character(number: int) -> Known:
    if number in _HALVES or number >= _CHARACTERS:
        return Known(number, None)
    return Known(number, chr(number), chr(number).encode())


def _is_by_bytes(told: dict[str, Any]) -> bool:
    """Whether the tokens are written in the alphabet of bytes."""
    before = told["pre_tokenizer"] or {}
    steps = before.get("pretokenizers", [before])
    return bool(steps) and any(
        step.get("type") == "ByteLevel" and not step.get("add_prefix_space")
        for step in steps
    )
