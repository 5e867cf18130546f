"""Open vocabularies: what the prompts are about, listed or made up.

A small model that meets fourteen towns learns those fourteen; one that meets another
town in each prompt learns to copy. So names, places and labels are also made up.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from finetune.data.phrases import Phrases, Texts, read_phrases

_FILE = Path(__file__).with_suffix(".yaml")
# One in ten is kept to judge by.
_HELDOUT = 10
_MADE_NAMES = 0.5
_MINUTES = ("15", "30", "45", "00")
_SLOT = re.compile(r"\{(\w+?)(\d*)\}")
_AN = re.compile(r"\b([Aa]) (?=[aeiou])")
_ONSETS = (
    *"bcdfghjklmnprstvwz", "br", "dr", "fl", "gr", "kr", "pl", "st", "tr", "sh", "ch",
    "bl", "cl", "sk", "th", "sn", "qu",
)  # fmt: skip
_VOWELS = (*"aeiouaeio", "ee", "oo", "ai", "ou", "ia")
_CODAS = (
    *"nrlsmktx", "nd", "rn", "sh", "lo", "ra", "na", "mo", "vik", "ton", "ville",
    "berg", "ford",
)  # fmt: skip


def _split_commas(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(" ".join(part.split()) for part in text.split(","))


Listed = Annotated[Texts, BeforeValidator(_split_commas)]


class WordLists(Phrases):
    """What `words.yaml` holds."""

    names: Listed
    surnames: Listed
    towns: Listed
    days: Listed
    months: Listed
    foods: Listed
    places: Listed
    reviewed: Listed
    hobbies: Listed
    jobs: Listed
    pets: Listed
    colours: Listed
    positive: Listed
    negative: Listed
    good_lines: Texts
    bad_lines: Texts
    kinds: dict[str, Listed]
    opposites: Listed
    plurals: Listed
    pasts: Listed
    capitals: Listed
    sounds: Listed
    young: Listed
    workplaces: Listed
    thing_colours: Listed


@cache
def lists() -> WordLists:
    """Read the lists once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, WordLists)


def is_kept(text: str) -> bool:
    """Say whether a word is kept to judge by; always the same for the same word."""
    return zlib.crc32(text.casefold().encode()) % _HELDOUT == 0


class Words:
    """Draws words of one side: those to learn from, or those kept to judge by."""

    def __init__(
        self, rng: random.Random, nouns: Sequence[str], *, is_heldout: bool
    ) -> None:
        """`nouns` are common words of the language, for anything at all."""
        self.rng = rng
        self.is_heldout = is_heldout
        self._nouns = self.side(nouns)
        self._sides: dict[str, tuple[str, ...]] = {}

    def side(self, listed: Sequence[str]) -> tuple[str, ...]:
        """Return the part of a list that is of this side; the whole if it is short."""
        own = tuple(text for text in listed if is_kept(text) == self.is_heldout)
        return own if len(own) > 1 else tuple(listed)

    def of(self, name: str) -> str:
        """Draw from one of the lists of `words.yaml`."""
        if name not in self._sides:
            self._sides[name] = self.side(getattr(lists(), name))
        return self.rng.choice(self._sides[name])

    def some(self, name: str, count: int) -> list[str]:
        """Draw different ones from a list."""
        self.of(name)
        own = self._sides[name]
        if len(own) < count:
            own = getattr(lists(), name)
        return self.rng.sample(own, count)

    def noun(self) -> str:
        """Draw a common noun."""
        return self.rng.choice(self._nouns)

    def nouns(self, count: int) -> list[str]:
        """Draw different common nouns."""
        return self.rng.sample(self._nouns, count)

    def made_up(self, longest: int = 3) -> str:
        """Make up a word, in lower case, of one to `longest` syllables."""
        rng = self.rng
        while True:
            syllables = rng.choice(range(1, longest + 1))
            text = "".join(
                rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(syllables)
            )
            text += rng.choice(_CODAS) if syllables < 3 or rng.random() < 0.5 else ""
            if 3 <= len(text) <= 10 and is_kept(text) == self.is_heldout:
                return text

    def name(self) -> str:
        """Draw a first name, half of them made up."""
        if self.rng.random() < _MADE_NAMES:
            return self.made_up().title()
        return self.of("names")

    def town(self) -> str:
        """Draw a town, half of them made up."""
        if self.rng.random() < _MADE_NAMES:
            return self.made_up().title()
        return self.of("towns")

    def word(self) -> str:
        """Draw any word: a noun, or a made-up one."""
        return self.made_up() if self.rng.random() < 0.35 else self.noun()

    def pair(self, name: str) -> tuple[str, str]:
        """Draw a pair from a list of pairs."""
        left, _, right = self.of(name).partition(":")
        return left, right

    def time(self) -> str:
        """Draw a time of day, as people write it."""
        hour = self.rng.randint(1, 12)
        return self.rng.choice(
            (
                f"{hour}",
                f"{hour}:{self.rng.choice(('15', '30', '45', '00'))}",
                f"{hour} pm",
            )
        )

    def draw(self, slot: str) -> str:
        """Draw what a slot of a phrasing stands for."""
        rng = self.rng
        match slot:
            case "name" | "town" | "time" | "noun" | "word":
                drawn: str = getattr(self, slot)()
                return drawn
            case "full_name":
                return f"{self.name()} {self.of('surnames')}"
            case "made":
                return self.made_up()
            case "age":
                return str(rng.randint(5, 95))
            case "table":
                return str(rng.randint(1, 40))
            case "number":
                return str(rng.randint(2, 99))
            case "year":
                return str(rng.randint(1850, 2030))
            case "price":
                return str(rng.choice((rng.randint(1, 30), rng.randint(2, 90) * 10)))
            case "animal" | "fruit" | "sport" | "instrument" | "country" | "clothing":
                return rng.choice(self.side(lists().kinds[slot]))
            case "kind":
                return rng.choice(self.side(tuple(lists().kinds)))
        plural = {
            "food": "foods", "place": "places", "day": "days", "month": "months",
            "hobby": "hobbies", "job": "jobs", "pet": "pets", "colour": "colours",
            "good": "positive", "bad": "negative", "reviewed": "reviewed",
            "good_line": "good_lines", "bad_line": "bad_lines",
        }  # fmt: skip
        return self.of(plural[slot])

    def fill(self, text: str, /, **known: str) -> tuple[str, dict[str, str]]:
        """Fill the slots of a phrasing; return the text and what stands in each slot.

        {name} and {name2} are two different draws of the same kind.
        """
        drawn = dict(known)

        def put(match: re.Match[str]) -> str:
            slot = match[1] + match[2]
            if slot not in drawn:
                value = self.draw(match[1])
                while value in drawn.values():
                    value = self.draw(match[1])
                drawn[slot] = value
            return drawn[slot]

        return with_an(_SLOT.sub(put, text)), drawn


def with_an(text: str) -> str:
    """Write "an" instead of "a" before vowels."""
    return _AN.sub(r"\1n ", text)
