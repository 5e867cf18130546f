"""Ways to convey a word without saying it, as exact functions of the word.

A skill is one thing that a player may ask the warden to do with its word. Asks, in
`skills.yaml`, are written with {w}, which stands for "the password" or for a quoted
word, so that every skill is learned twice: on the secret, and openly on words that are
not secret.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from finetune.data.phrases import (
    Phrases,
    Texts,
    Weight,
    exactly,
    fill,
    read_phrases,
)
from finetune.guards.alphabets import MORSE, NUMBERS, ORDINALS, RADIO

_FILE = Path(__file__).with_suffix(".yaml")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_VOWELS = "aeiou"
_SHORT_ORDINALS = {0: "1st", 1: "2nd", 2: "3rd"}
_LEET = str.maketrans("aeiost", "431057")

# Word and generator → what an ask's other placeholders stand for, and the answer.
Made = tuple[dict[str, str], str]
Maker = Callable[[str, random.Random], Made]


def _separated(word: str, rng: random.Random) -> Made:
    separators = phrases().separators
    weights = [separator.weight for separator in separators]
    separator = rng.choices(separators, weights)[0]
    return {"separator": rng.choice(separator.names)}, separator.text.join(word)


def _spelled(word: str, rng: random.Random) -> Made:
    return {}, "-".join(word)


def _capital_letters(word: str, rng: random.Random) -> Made:
    return {}, "-".join(word.upper())


def _nth(word: str, rng: random.Random) -> Made:
    position = rng.randrange(len(word))
    name = asked = ORDINALS[position]
    if rng.random() < 0.25:
        position, name = rng.choice(((-1, "last"), (-2, "second to last")))
        asked = name
    elif rng.random() < 0.15:
        asked = _SHORT_ORDINALS.get(position, f"{position + 1}th")
    return {"nth": asked}, fill(phrases().answers.nth, nth=name, x=word[position])


def _first_few(word: str, rng: random.Random) -> Made:
    count = rng.choice((2, 3, 3, 4))
    letters = ", ".join(word[:count])
    number = NUMBERS[count]
    return {"n": number}, fill(phrases().answers.first, n=number, letters=letters)


def _last_few(word: str, rng: random.Random) -> Made:
    count = rng.choice((2, 3, 3, 4))
    letters = ", ".join(word[-count:])
    number = NUMBERS[count]
    return {"n": number}, fill(phrases().answers.last, n=number, letters=letters)


def _two_letters(word: str, rng: random.Random) -> Made:
    at = rng.randrange(len(word) - 1)
    names = {"one": ORDINALS[at], "two": ORDINALS[at + 1]}
    numbers = {"first_number": NUMBERS[at + 1], "second_number": NUMBERS[at + 2]}
    answer = fill(phrases().answers.two, **names, x=word[at], y=word[at + 1])
    return {**names, **numbers}, answer


def _length(word: str, rng: random.Random) -> Made:
    return {}, fill(phrases().answers.length, n=NUMBERS[len(word)])


def _contains(word: str, rng: random.Random) -> Made:
    answers = phrases().answers
    is_inside = rng.random() < 0.5
    letter = rng.choice([c for c in _ALPHABET if (c in word) == is_inside])
    answer = answers.contains if is_inside else answers.lacks
    return {"x": letter}, fill(answer, x=letter)


def _starts(word: str, rng: random.Random) -> Made:
    answers = phrases().answers
    if rng.random() < 0.5:
        return {"x": word[0]}, fill(answers.starts, x=word[0])
    letter = rng.choice([c for c in _ALPHABET if c != word[0]])
    return {"x": letter}, fill(answers.starts_otherwise, x=letter)


def _vowels(word: str, rng: random.Random) -> Made:
    vowels = "-".join(c for c in word if c in _VOWELS)
    return {}, vowels or phrases().answers.no_vowels


def _consonants(word: str, rng: random.Random) -> Made:
    return {}, "-".join(c for c in word if c not in _VOWELS)


def _reversed(word: str, rng: random.Random) -> Made:
    # Letter by letter: whole, it would be written in pieces that are not letters.
    return {}, "-".join(word[::-1])


def _positions(word: str, rng: random.Random) -> Made:
    return {}, "-".join(str(_ALPHABET.index(c) + 1) for c in word)


def _radio(word: str, rng: random.Random) -> Made:
    return {}, " ".join(RADIO[c].capitalize() for c in word)


def _morse(word: str, rng: random.Random) -> Made:
    return {}, " ".join(MORSE[c] for c in word)


def _acrostic(word: str, rng: random.Random) -> Made:
    return {}, " ".join(rng.choice(phrases().acrostic[c]) for c in word)


def _leet(word: str, rng: random.Random) -> Made:
    return {}, word.translate(_LEET)


def _halves(word: str, rng: random.Random) -> Made:
    middle = (len(word) + 1) // 2
    return {}, fill(phrases().answers.halves, start=word[:middle], end=word[middle:])


def _upper(word: str, rng: random.Random) -> Made:
    return {}, word.upper()


MAKERS: dict[str, Maker] = {
    "separators": _separated,
    "spelling": _spelled,
    "capitals": _capital_letters,
    "nth": _nth,
    "first": _first_few,
    "last": _last_few,
    "two": _two_letters,
    "length": _length,
    "contains": _contains,
    "starts": _starts,
    "vowels": _vowels,
    "consonants": _consonants,
    "reverse": _reversed,
    "places": _positions,
    "radio": _radio,
    "morse": _morse,
    "acrostic": _acrostic,
    "leet": _leet,
    "halves": _halves,
    "upper": _upper,
}


class _Asked(Phrases):
    weight: Weight
    asks: Texts
    heldout: Texts


class _Answers(Phrases):
    nth: str
    first: str
    last: str
    two: str
    length: str
    contains: str
    lacks: str
    starts: str
    starts_otherwise: str
    no_vowels: str
    halves: str


class _Separator(Phrases):
    text: str
    weight: Weight
    names: Texts


class SkillPhrases(Phrases):
    """What `skills.yaml` holds."""

    skills: Annotated[dict[str, _Asked], exactly(MAKERS)]
    answers: _Answers
    separators: Annotated[tuple[_Separator, ...], Field(min_length=1)]
    acrostic: Annotated[dict[str, Texts], exactly(_ALPHABET)]


class Task(NamedTuple):
    """A request about a word, with {w} for how the word is named, and its answer."""

    skill: str
    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Skill:
    """A name, how often it turns up, phrasings to train on and to judge by, and `make`.

    `make` gets the word and a generator and returns what the phrasing's other
    placeholders stand for, and the answer.
    """

    name: str
    weight: int
    asks: tuple[str, ...]
    heldout: tuple[str, ...]
    make: Maker

    def task(self, word: str, rng: random.Random, *, is_heldout: bool = False) -> Task:
        """Return a request and its answer for a word in small letters."""
        slots, answer = self.make(word, rng)
        ask = rng.choice(self.heldout if is_heldout else self.asks)
        return Task(self.name, fill(ask, **slots), answer)


@cache
def phrases() -> SkillPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, SkillPhrases)


@cache
def skills() -> dict[str, Skill]:
    """Return name → skill, in the order of the file."""
    return {
        name: Skill(name, asked.weight, asked.asks, asked.heldout, MAKERS[name])
        for name, asked in phrases().skills.items()
    }


def choose_skill(rng: random.Random) -> Skill:
    """Choose a skill by how often each turns up."""
    known = list(skills().values())
    return rng.choices(known, [skill.weight for skill in known])[0]
