"""Tokens and how probable they were, as pages of lessons and of the lab show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# From which probability on a token is drawn with each of the patterns, whatever else
# is shown beside it.
LEVELS: Final = (0.05, 0.2, 0.5, 0.8)


@dataclass(frozen=True, slots=True)
class Odds:
    """A token that could have come, and how probable it was, in 0..1.

    `data` are the bytes of a part of a character, which no text can show.
    """

    text: str
    probability: float
    is_picked: bool = False
    data: tuple[int, ...] = ()
    is_special: bool = False

    @property
    def percent(self) -> str:
        """Return the probability as it is said; a tiny one is not called 0."""
        return f"{self._number} percent"

    @property
    def fine(self) -> str:
        """Return the probability with a decimal where it is small."""
        share = self.probability * 100
        if share < 0.05:
            return "under 0.1 percent"
        return f"{share:.1f} percent" if share < 10 else self.percent

    @property
    def short(self) -> str:
        """Return the probability in a few characters."""
        return f"{self._number.replace('under ', '<')}%"

    @property
    def level(self) -> int:
        """Return from 0 to 4 how probable it was, on a scale that never moves."""
        return sum(self.probability >= level for level in LEVELS)

    @property
    def bytes_shown(self) -> str:
        """Return the bytes of a part of a character, in two digits each."""
        return " ".join(f"{byte:02X}" for byte in self.data)

    @property
    def _number(self) -> str:
        share = self.probability * 100
        if share < 1:
            return "under 1"
        # Only what is as good as certain is called 100.
        return f"{min(round(share), 99)}" if share < 99.95 else "100"


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a reply, what else could have come, and what all others share."""

    picked: Odds
    likeliest: tuple[Odds, ...]
    others: Odds
