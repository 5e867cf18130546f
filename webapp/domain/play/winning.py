"""Which message won: the one whose reply gave the password away."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.play.reader import Reader
from webapp.rows import FAILED, FINISHED, STOPPED, Attempt
from webapp.security import Secret
from webapp.text.words import normalise_guess

# How far back is looked: a win waits for it, and a visit may be as long as it likes.
LAST: Final = 60
# What the player has read of a warden, whole or in part.
READ: Final = (FINISHED, STOPPED, FAILED)


@dataclass(frozen=True, slots=True)
class WinningMessage:
    """The message by whose reply a player could know the password.

    `is_alone` says whether that reply was enough; else it completed those before it.
    """

    message: Attempt
    read: tuple[Attempt, ...]
    is_alone: bool

    @property
    def chars(self) -> int:
        """How many characters were typed for it, up to this message."""
        needed = (self.message,) if self.is_alone else self.read
        return sum(len(attempt.message) for attempt in needed)


def winning_message(
    session: Session, words: Sequence[str], secret: Secret, visit_id: int
) -> WinningMessage | None:
    """Return the message of a visit that gave its secret away, if one of the last did.

    Only replies count that the player has read, so never one that a guard held back.
    """
    read = replies_read(session, visit_id)
    reader = reader_of(tuple(words))

    def tells(start: int, end: int) -> bool:
        return reader.names([row.reply or "" for row in read[start:end]], secret)

    for number in range(len(read)):
        if tells(number, number + 1):
            return WinningMessage(read[number], tuple(read[: number + 1]), True)
    if not tells(0, len(read)):
        return None
    last = bisect_left(range(len(read)), True, key=lambda number: tells(0, number + 1))
    last = min(last, len(read) - 1)
    return WinningMessage(read[last], tuple(read[: last + 1]), False)


def gives_away(words: Sequence[str], text: str, secret: Secret) -> bool:
    """Tell whether a secret can be known by a text alone, disguised or not."""
    plain = normalise_guess(text)
    word = normalise_guess(secret.reveal())
    return word in plain or reader_of(tuple(words)).names([text], secret)


def replies_read(session: Session, visit_id: int) -> list[Attempt]:
    """Return the last attempts of a visit of whose reply the player has read something.

    The oldest comes first.
    """
    newest = session.scalars(
        select(Attempt)
        .where(Attempt.visit_id == visit_id)
        .order_by(Attempt.id.desc())
        .limit(LAST)
    )
    return [row for row in reversed(newest.all()) if row.status in READ]


@lru_cache(maxsize=8)
def reader_of(words: tuple[str, ...]) -> Reader:
    """Return what reads replies with a list of words in hand."""
    return Reader(words)
