"""Tokens of several tokenizers beside the characters of one text.

A place is a byte of the text in UTF-8. Where a character was split, its bytes are
shown: they mean nothing alone.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from webapp.llm.tokenizers import Cut, Known, Piece
from webapp.text.characters import edges

_SIGNS: Final = {" ": "·", "\n": "⏎", "\t": "⇥"}


class Part(NamedTuple):
    """A part of what is shown; a sign stands for something that cannot be seen."""

    text: str
    is_sign: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A token as it is shown: its number, its text and bytes, and where it lies.

    `is_split` says that it is a part of a character, and its parts are its bytes.
    """

    id: int
    parts: tuple[Part, ...]
    content: str
    start: int
    end: int
    is_mark: bool = False
    is_split: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Tokens that only together are whole characters; `whole` if there are several."""

    tokens: tuple[Shown, ...]
    whole: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A text as one tokenizer reads it. `lost` are characters that it does not read."""

    tokenizer: str
    title: str
    is_exact: bool
    size: int
    groups: tuple[Group, ...]
    lost: tuple[Part, ...]
    tokens: int
    ids: tuple[int, ...]
    bytes_per_token: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the text at whose ends all tokenizers cut, with the tokens of each."""

    parts: tuple[Part, ...]
    content: str
    columns: tuple[tuple[Shown, ...], ...]


class _Column(NamedTuple):
    """The tokens of a tokenizer: put before the text, of the text, put after it."""

    before: tuple[Shown, ...]
    inside: tuple[Shown, ...]
    after: tuple[Shown, ...]


def visible(text: str) -> tuple[Part, ...]:
    """Return a text in which blanks and what cannot be seen are signs."""
    found: list[Part] = []
    for is_sign, run in itertools.groupby(text, key=_is_unseen):
        if is_sign:
            found.extend(Part(_sign(character), is_sign=True) for character in run)
        else:
            found.append(Part(_on_a_circle("".join(run))))
    return tuple(found)


def hex_of(content: bytes) -> str:
    """Return bytes as they are written: two digits each."""
    return content.hex(" ").upper()


def row(text: str, cut: Cut, *, title: str) -> Row:
    """Return a text as one tokenizer reads it."""
    content = text.encode()
    tokens = [_shown(piece, content, is_exact=cut.is_exact) for piece in cut.pieces]
    count = len(tokens)
    return Row(
        tokenizer=cut.tokenizer,
        title=title,
        is_exact=cut.is_exact,
        size=cut.size,
        groups=tuple(_groups(tokens, content, whole_bytes(text))),
        lost=visible(_lost(cut.pieces, content, is_exact=cut.is_exact)),
        tokens=count,
        ids=tuple(token.id for token in tokens),
        bytes_per_token=len(content) / count if count else None,
    )


def segments(text: str, cuts: Sequence[Cut]) -> tuple[Segment, ...]:
    """Return the text from one cut that all have in common to the next.

    What was put before or after the text has a segment of its own, without text.
    """
    content = text.encode()
    inside: set[int] = set()
    for cut in cuts:
        for piece in cut.pieces:
            inside.update(range(piece.start + 1, piece.end))
    common = sorted(whole_bytes(text) - inside)
    columns = [_column(cut, content) for cut in cuts]
    found = [Segment((), "", tuple(column.before for column in columns))]
    for start, end in itertools.pairwise(common):
        part = content[start:end]
        here = tuple(
            tuple(token for token in column.inside if start <= token.start < end)
            for column in columns
        )
        found.append(Segment(visible(part.decode()), hex_of(part), here))
    found.append(Segment((), "", tuple(column.after for column in columns)))
    return tuple(one for one in found if one.content or any(one.columns))


def known_token(known: Known) -> Shown:
    """Return a number as a tokenizer reads it; without parts if it has no such."""
    if known.name is None:
        return Shown(known.id, (), "", 0, 0)
    parts, is_split = _read(known.content) if known.content else ((), False)
    if known.is_mark or not parts:
        parts, is_split = (Part(known.name),), False
    return Shown(known.id, parts, hex_of(known.content), 0, 0, known.is_mark, is_split)


def byte_token(content: bytes) -> Shown:
    """Return some bytes of a text as a token without a number."""
    parts, is_split = _read(content)
    return Shown(-1, parts, hex_of(content), 0, len(content), is_split=is_split)


def whole_bytes(text: str) -> set[int]:
    """Return the places between the characters that a reader sees."""
    sizes = itertools.accumulate(
        (len(character.encode()) for character in text), initial=0
    )
    at = list(sizes)
    return {at[edge] for edge in edges(text)}


def _shown(piece: Piece, content: bytes, *, is_exact: bool) -> Shown:
    own = content[piece.start : piece.end]
    if piece.is_mark or not is_exact:
        parts, is_split = visible(piece.name), False
    else:
        parts, is_split = _read(own)
    return Shown(
        id=piece.id,
        parts=parts,
        content=hex_of(own),
        start=piece.start,
        end=piece.end,
        is_mark=piece.is_mark,
        is_split=is_split,
    )


def _read(content: bytes) -> tuple[tuple[Part, ...], bool]:
    try:
        return visible(content.decode()), False
    except UnicodeDecodeError:
        return (Part(hex_of(content)),), True


def _groups(
    tokens: Iterable[Shown], content: bytes, whole: set[int]
) -> Iterable[Group]:
    """Yield tokens, and together those that only together are whole characters."""
    held: list[Shown] = []
    for token in tokens:
        held.append(token)
        if token.end in whole:
            yield _group(held, content)
            held = []
    if held:
        yield _group(held, content)


def _group(tokens: Sequence[Shown], content: bytes) -> Group:
    if len(tokens) == 1:
        return Group(tuple(tokens))
    whole = content[tokens[0].start : tokens[-1].end].decode(errors="replace")
    return Group(tuple(tokens), visible(whole))


def _lost(pieces: Iterable[Piece], content: bytes, *, is_exact: bool) -> str:
    """Return the characters of which no token has a byte.

    Blanks count only where a tokenizer keeps them.
    """
    read = bytearray(len(content))
    for piece in pieces:
        read[piece.start : piece.end] = b"\1" * (piece.end - piece.start)
    lost, place = [], 0
    for character in content.decode():
        end = place + len(character.encode())
        if 0 in read[place:end] and (is_exact or not character.isspace()):
            lost.append(character)
        place = end
    return "".join(dict.fromkeys(lost))


def _column(cut: Cut, content: bytes) -> _Column:
    tokens = [_shown(piece, content, is_exact=cut.is_exact) for piece in cut.pieces]
    before = tuple(itertools.takewhile(_is_added, tokens))
    rest = tokens[len(before) :]
    after = tuple(itertools.takewhile(_is_added, reversed(rest)))[::-1]
    return _Column(before, tuple(rest[: len(rest) - len(after)]), after)


def _is_added(token: Shown) -> bool:
    return token.start == token.end


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character)[0] in "CZ"


def _sign(character: str) -> str:
    return _SIGNS.get(character, f"U+{ord(character):04X}")


def _on_a_circle(text: str) -> str:
    """Put a circle under a mark that begins a token: it belongs to the one before."""
    return f"\u25cc{text}" if unicodedata.combining(text[0]) else text
