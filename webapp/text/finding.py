"""Where a piece stands in a text: its position, though letters are stored in many ways.

Positions are those of the text as it is given, so that a page can underline the piece.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import regex

from webapp.text.characters import without_invisible
from webapp.text.words import UNSPACED, fold

_CHARACTER = regex.compile(r"\X")
_LETTER: Final = rf"[[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED}]]"
# Between two letters of a word, and within a number: 3.5 and 1,000 hold no 3 and no 1.
_INSIDE = regex.compile(
    rf"(?V1)(?<={_LETTER})(?={_LETTER})|(?<=\p{{N}})(?=[.,]\p{{N}})"
    rf"|(?<=\p{{N}}[.,])(?=\p{{N}})"
)
_ONE_WORD = regex.compile(rf"(?V1){_LETTER}+")


class Place(NamedTuple):
    """A piece of a text: from `start`, up to and without `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as it is searched, and where each of its characters is in the original."""

    text: str
    # For each letter of `text`, the place of the whole character that it belongs to.
    origins: tuple[Place, ...]

    def place(self, start: int, end: int) -> Place:
        """Return where a piece of the text is in the original."""
        if start == end:
            at = self.origins[start].start if start < len(self.origins) else 0
            return Place(at, at)
        return Place(self.origins[start].start, self.origins[end - 1].end)

    def is_edge(self, at: int) -> bool:
        """Say whether a position is between two whole characters."""
        if at in (0, len(self.origins)):
            return True
        return self.origins[at - 1] != self.origins[at]


def composed(text: str) -> str:
    """Store accented letters in one way, and drop what cannot be seen."""
    return unicodedata.normalize("NFC", without_invisible(text))


def shown(text: str, *, ignore_case: bool = False) -> Shown:
    """Return a text as it is searched: composed, and without case if that is wanted."""
    if text.isascii() and "\r" not in text:
        # Each character is a letter of its own; long replies are mostly like this.
        ends = range(1, len(text) + 1)
        each = tuple(map(Place, range(len(text)), ends))
        return Shown(_plain(text, ignore_case), each)
    pieces: list[str] = []
    origins: list[Place] = []
    for match in _CHARACTER.finditer(text):
        piece = _plain(match[0], ignore_case)
        pieces.append(piece)
        origins += [Place(*match.span())] * len(piece)
    return Shown("".join(pieces), tuple(origins))


def is_one_word(text: str) -> bool:
    """Say whether a text is a single word and nothing else."""
    return _ONE_WORD.fullmatch(composed(text)) is not None


def find(
    text: str, part: str, *, ignore_case: bool = False, whole: bool = False
) -> Place | None:
    """Return where `part` first stands in `text`, or None.

    It is found between whole characters: `e` is not in `é`. With `whole` it is not
    found inside a longer word or number: `soo` is not in `soon`, nor 3 in 3.5.
    """
    return next(places(text, part, ignore_case=ignore_case, whole=whole), None)


def places(
    text: str, part: str, *, ignore_case: bool = False, whole: bool = False
) -> Iterator[Place]:
    """Yield all places of a part, from the start, none of which overlap."""
    wanted = _plain(part, ignore_case)
    if not wanted:
        return
    seen = shown(text, ignore_case=ignore_case)
    at = seen.text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        is_cut = whole and _cuts(seen.text, at, end)
        if seen.is_edge(at) and seen.is_edge(end) and not is_cut:
            yield seen.place(at, end)
            at = seen.text.find(wanted, end)
        else:
            at = seen.text.find(wanted, at + 1)


def _plain(text: str, ignore_case: bool) -> str:
    plain = composed(text)
    return fold(plain) if ignore_case else plain


def _cuts(text: str, start: int, end: int) -> bool:
    """Say whether one of two positions is inside a word or a number."""
    return any(_INSIDE.match(text, at) is not None for at in (start, end))
