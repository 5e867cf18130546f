"""What a model expects next, as it is kept and shown; and how a token is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from webapp.errors import InvalidInput
from webapp.llm.chances import Drawn, Likely, NextTokens, Token

MOST_TOP_K: Final = 1000


@dataclass(frozen=True, slots=True)
class Cut:
    """How the next token is drawn: every sampler, none left to the engine.

    `top_k` 0 and `top_p` 1 cut nothing off.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0


@dataclass(frozen=True, slots=True)
class Word:
    """A token with its chance, and the one with which it is drawn.

    `data` are its bytes where they are no text of their own: a part of a character. A
    special one has a name; it ends the reply, or stands for another mark.
    """

    id: int
    text: str
    p: float
    shaped: float
    data: tuple[int, ...] = ()
    is_special: bool = False

    @property
    def is_part(self) -> bool:
        """Whether it is only a part of a character, and nothing can follow it here."""
        return bool(self.data)


@dataclass(frozen=True, slots=True)
class Expected:
    """What may come next: the likeliest tokens, and all others as one.

    `others` is how many those are, where it is known; `entropy` is in bits.
    """

    words: tuple[Word, ...]
    cut: Cut
    others: int | None
    others_p: float
    others_shaped: float
    entropy: float | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)

    def find(self, token_id: int) -> tuple[int, Word] | None:
        """Return the rank and the token of an id, if it is listed."""
        for rank, word in enumerate(self.words, start=1):
            if word.id == token_id:
                return rank, word
        return None


def read_cut(*, temperature: str, top_p: str, top_k: str) -> Cut:
    """Return how a form wants tokens drawn; raise InvalidInput."""
    return Cut(
        _number("temperature", temperature, 1.0, 0, 2),
        _number("top-p", top_p, 1.0, 0, 1),
        int(_number("top-k", top_k, 0, 0, MOST_TOP_K)),
    )


def word_of(likely: Likely) -> Word:
    """Return a token as it is kept."""
    return Word(
        likely.id,
        likely.text.replace("\0", "\ufffd"),
        likely.p,
        likely.shaped,
        bytes_of(likely),
        likely.is_special,
    )


def bytes_of(token: Token) -> tuple[int, ...]:
    """Return the bytes of a token that is a part of a character; of others none."""
    return tuple(token.data) if token.is_part else ()


def expected(told: NextTokens, cut: Cut) -> Expected | None:
    """Return what may come next; None where the reply has ended."""
    if told.rest is None:
        return None
    return Expected(
        tuple(map(word_of, told.tokens)),
        cut,
        told.rest.count,
        told.rest.p,
        told.rest.shaped,
        told.entropy,
    )


def expected_at(drawn: Drawn, cut: Cut) -> Expected:
    """Return what could have come where a token was drawn."""
    words = tuple(map(word_of, drawn.top))
    return Expected(
        words,
        cut,
        None,
        max(0.0, 1 - sum(word.p for word in words)),
        max(0.0, 1 - sum(word.shaped for word in words)),
    )


def from_row(row: Mapping[str, Any]) -> Expected:
    """Return what was kept."""
    return Expected(
        words=tuple(map(read_word, row["words"])),
        cut=Cut(**row["cut"]),
        others=row["others"],
        others_p=row["others_p"],
        others_shaped=row["others_shaped"],
        entropy=row["entropy"],
    )


def read_word(row: Mapping[str, Any]) -> Word:
    """Return a token that was kept."""
    return Word(**{**row, "data": tuple(row["data"])})


def text_of(words: Sequence[Word]) -> str:
    """Return what tokens say together; parts of characters are put together."""
    data = b"".join(
        bytes(word.data) if word.is_part else word.text.encode()
        for word in words
        if not word.is_special
    )
    return data.decode(errors="replace")


def _number(name: str, text: str, usual: float, least: float, most: float) -> float:
    if not text.strip():
        return usual
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise InvalidInput(
            f"The {name} must be a number from {least:g} to {most:,.0f}."
        )
    return number
