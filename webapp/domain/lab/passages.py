"""Short texts of our own, for guessing their next word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# How many words are shown before the first one is to be guessed.
_FIRST: Final = 4

# Name of a text → its words. They hold no password of the game.
PASSAGES: Final = {
    "tea": (
        "Put some water into the pot and wait until it boils. Then pour it over the "
        "tea, and let it stand for three minutes before you drink it."
    ),
    "bus": (
        "The bus was late again this morning, so we stood at the stop and talked about "
        "the weather until our feet were cold."
    ),
    "rain": (
        "When warm air rises, it cools down, and the water in it turns into small "
        "drops. Many drops together are a cloud, and when they get too heavy, it rains."
    ),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A text as far as it is shown, and the word that comes."""

    name: str
    place: int
    before: str
    truth: str
    is_last: bool


def passage_at(name: str, place: int) -> Passage:
    """Return a text before its word number `place`; the first one, if it is unknown."""
    known = name if name in PASSAGES else next(iter(PASSAGES))
    words = PASSAGES[known].split()
    at = max(_FIRST, min(place, len(words) - 1))
    return Passage(
        name=known,
        place=at,
        before=" ".join(words[:at]),
        truth=words[at].strip(".,"),
        is_last=at == len(words) - 1,
    )
