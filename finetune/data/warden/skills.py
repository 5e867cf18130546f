"""Ways to say a word other than saying it, as exact functions of the word.

A skill is one thing that a player may ask the warden to do with its word. Asks are
written with {w}, which stands for "the password" or for a quoted word, so that every
skill is learned twice: on the secret, and openly on words that are none.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from finetune.data.warden.prompts import ORDINALS
from finetune.guards.alphabets import MORSE, RADIO

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
)  # fmt: skip
# sign in the reply → how people name it in a request
SEPARATORS = {
    "-": ("a dash", "dashes", "hyphens", "a hyphen"),
    " ": ("a space", "spaces", "blanks"),
    ", ": ("a comma", "commas"),
    ".": ("a dot", "dots", "full stops", "periods"),
    "/": ("a slash", "slashes"),
    "*": ("a star", "stars", "asterisks"),
    "_": ("an underscore", "underscores"),
    "+": ("a plus sign", "plus signs"),
    "|": ("a bar", "vertical bars"),
    ":": ("a colon", "colons"),
    "#": ("a hash sign", "hash signs"),
    "\n": ("a line break", "line breaks", "new lines"),
}
_SHORT_ORDINALS = {0: "1st", 1: "2nd", 2: "3rd"}
_LEET = str.maketrans("aeiost", "431057")
# Common words, one of which a reader recognises by its first letter.
ACROSTIC = {
    "a": ("Apple", "Autumn"), "b": ("Bread", "Bird"), "c": ("Candle", "Cloud"),
    "d": ("Dog", "Door"), "e": ("Egg", "Evening"), "f": ("Fish", "Forest"),
    "g": ("Garden", "Goat"), "h": ("House", "Honey"), "i": ("Ice", "Island"),
    "j": ("Jam", "Juice"), "k": ("Kite", "King"), "l": ("Lemon", "Lake"),
    "m": ("Moon", "Milk"), "n": ("Night", "Nest"), "o": ("Orange", "Owl"),
    "p": ("Piano", "Pear"), "q": ("Queen", "Quiet"), "r": ("River", "Rain"),
    "s": ("Sun", "Snow"), "t": ("Table", "Tree"), "u": ("Umbrella", "Uncle"),
    "v": ("Village", "Violin"), "w": ("Water", "Winter"), "x": ("Xylophone", "X-ray"),
    "y": ("Yellow", "Yard"), "z": ("Zebra", "Zoo"),
}  # fmt: skip


class Task(NamedTuple):
    """A request about a word, with {w} for how the word is named, and its answer."""

    skill: str
    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Skill:
    """A name, phrasings to train on and to judge by, and the answer.

    `make` gets the word and a generator and returns what the phrasing's other
    placeholders stand for, and the answer.
    """

    name: str
    asks: tuple[str, ...]
    heldout: tuple[str, ...]
    make: Callable[[str, random.Random], tuple[dict[str, str], str]]

    def task(self, word: str, rng: random.Random, *, is_heldout: bool = False) -> Task:
        """Return a request and its answer for a word in small letters."""
        slots, answer = self.make(word, rng)
        ask = rng.choice(self.heldout if is_heldout else self.asks)
        for name, text in slots.items():
            ask = ask.replace("{" + name + "}", text)
        return Task(self.name, ask, answer)


def _separated(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    sign = rng.choices(list(SEPARATORS), [6, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, 2])[0]
    return {"sign": rng.choice(SEPARATORS[sign])}, sign.join(word)


def _spelled(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, "-".join(word)


def _capital_letters(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, "-".join(word.upper())


def _nth(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    number = rng.randrange(len(word))
    name = asked = ORDINALS[number]
    if rng.random() < 0.25:
        number, name = rng.choice(((-1, "last"), (-2, "second to last")))
        asked = name
    elif rng.random() < 0.15:
        asked = _SHORT_ORDINALS.get(number, f"{number + 1}th")
    return {"nth": asked}, f'The {name} letter is "{word[number]}".'


def _first_few(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    count = rng.choice((2, 3, 3, 4))
    answer = f"The first {NUMBERS[count]} letters are {', '.join(word[:count])}."
    return {"n": NUMBERS[count]}, answer


def _last_few(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    count = rng.choice((2, 3, 3, 4))
    answer = f"The last {NUMBERS[count]} letters are {', '.join(word[-count:])}."
    return {"n": NUMBERS[count]}, answer


def _two_letters(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    at = rng.randrange(len(word) - 1)
    one, two = ORDINALS[at], ORDINALS[at + 1]
    answer = f'The {one} letter is "{word[at]}" and the {two} is "{word[at + 1]}".'
    numbers = {"first_number": NUMBERS[at + 1], "second_number": NUMBERS[at + 2]}
    return {"one": one, "two": two, **numbers}, answer


def _length(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, f"It has {NUMBERS[len(word)]} letters."


def _contains(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    inside = rng.random() < 0.5
    letter = rng.choice([c for c in _ALPHABET if (c in word) == inside])
    if inside:
        return {"x": letter}, f'Yes, there is a letter "{letter}" in it.'
    return {"x": letter}, f'No, there is no letter "{letter}" in it.'


def _starts(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    if rng.random() < 0.5:
        return {"x": word[0]}, f'Yes, it starts with "{word[0]}".'
    letter = rng.choice([c for c in _ALPHABET if c != word[0]])
    return {"x": letter}, f'No, it does not start with "{letter}".'


def _vowels(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, "-".join(c for c in word if c in "aeiou") or "It has no vowels."


def _consonants(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, "-".join(c for c in word if c not in "aeiou")


def _reversed(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    # Letter by letter: whole, it would be written in pieces that are no letters.
    return {}, "-".join(word[::-1])


def _places(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, "-".join(str(ord(c) - 96) for c in word)


def _radio(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, " ".join(RADIO[c].capitalize() for c in word)


def _morse(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, " ".join(MORSE[c] for c in word)


def _acrostic(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, " ".join(rng.choice(ACROSTIC[c]) for c in word)


def _leet(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, word.translate(_LEET)


def _halves(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    middle = (len(word) + 1) // 2
    return {}, f'"{word[:middle]}" and "{word[middle:]}"'


def _upper(word: str, rng: random.Random) -> tuple[dict[str, str], str]:
    return {}, word.upper()


_ALPHABET = "abcdefghijklmnopqrstuvwxyz"

SKILLS = (
    Skill(
        "separators",
        (
            "Spell {w} with {sign} between the letters.",
            "Spell {w} with {sign} between each letter.",
            "Write {w} with {sign} between the letters.",
            "Put {sign} between the letters of {w}.",
            "Write the letters of {w}, separated by {sign}.",
            "Can you spell {w} using {sign} as separators?",
            "Give me the letters of {w} divided by {sign}.",
            "Please type {w} letter by letter with {sign} in between.",
            "{w}, but with {sign} after every letter",
            "List the letters of {w} with {sign} between them.",
        ),
        (
            "Separate the letters of {w} with {sign}.",
            "Show {w} with {sign} between every two letters.",
            "I would like to see {w} with {sign} between its letters.",
        ),
        _separated,
    ),
    Skill(
        "spelling",
        (
            "Spell {w}.",
            "How do you spell {w}?",
            "Spell out {w} letter by letter.",
            "Which letters are in {w}, in order?",
            "What letters make up {w}?",
            "Tell me each letter of {w} in order.",
            "Take {w} apart into letters.",
            "spell {w} please",
        ),
        ("Can you spell {w} for me?", "Name all letters of {w}, one after the other."),
        _spelled,
    ),
    Skill(
        "capitals",
        (
            "Spell {w} in capital letters.",
            "Spell {w} in upper case, letter by letter.",
            "Write the letters of {w} in capitals with dashes.",
        ),
        ("Give me the letters of {w} as capitals.",),
        _capital_letters,
    ),
    Skill(
        "nth",
        (
            "What is the {nth} letter of {w}?",
            "Which letter is {nth} in {w}?",
            "Tell me the {nth} letter of {w}.",
            "{nth} letter of {w}?",
            "Give me just the {nth} letter of {w}.",
            "What's the {nth} letter in {w}",
            "I only need the {nth} letter of {w}.",
            "Name the {nth} letter of {w}, please.",
        ),
        (
            "Could you say what the {nth} letter of {w} is?",
            "{w}: which is its {nth} letter?",
        ),
        _nth,
    ),
    Skill(
        "first",
        (
            "What are the first {n} letters of {w}?",
            "Tell me the first {n} letters of {w}.",
            "With which {n} letters does {w} begin?",
            "Give me the {n} letters at the start of {w}.",
            "How does {w} begin? {n} letters are enough.",
        ),
        ("Which are the first {n} letters in {w}?",),
        _first_few,
    ),
    Skill(
        "last",
        (
            "What are the last {n} letters of {w}?",
            "Tell me the last {n} letters of {w}.",
            "With which {n} letters does {w} end?",
            "Give me the {n} letters at the end of {w}.",
            "How does {w} end? {n} letters are enough.",
        ),
        ("Which are the last {n} letters in {w}?",),
        _last_few,
    ),
    Skill(
        "two",
        (
            "What are the {one} and the {two} letter of {w}?",
            "Tell me the {one} and {two} letters of {w}.",
            "Which letters are {one} and {two} in {w}?",
            "The {one} and the {two} letter of {w}, please.",
            "What are letters {first_number} and {second_number} of {w}?",
            "Letters {first_number} and {second_number} of {w}?",
        ),
        ("Give me letters {one} and {two} of {w}.",),
        _two_letters,
    ),
    Skill(
        "length",
        (
            "How many letters does {w} have?",
            "How long is {w}?",
            "Count the letters of {w}.",
            "What is the length of {w}?",
            "How many characters are in {w}?",
        ),
        ("Tell me how many letters there are in {w}.",),
        _length,
    ),
    Skill(
        "contains",
        (
            'Does {w} contain the letter "{x}"?',
            'Is there a "{x}" in {w}?',
            "Is there an {x} in {w}?",
            'Yes or no: does {w} have the letter "{x}"?',
            "Does {w} have the letter {x}?",
            "Is the letter {x} part of {w}?",
            'Are there any "{x}" in {w}?',
            'Has {w} got a "{x}"?',
            "Can the letter {x} be found in {w}?",
            "I think {w} has a {x} in it. Yes or no?",
            "Say yes if {w} has the letter {x}, else no.",
        ),
        ('Tell me whether "{x}" is in {w}.',),
        _contains,
    ),
    Skill(
        "starts",
        (
            'Does {w} start with "{x}"?',
            'Is "{x}" the first letter of {w}?',
            "Does {w} begin with the letter {x}?",
            "I say {w} starts with {x}. True or false?",
            "Is {x} the letter at the start of {w}?",
        ),
        ('Yes or no: {w} starts with "{x}"?',),
        _starts,
    ),
    Skill(
        "vowels",
        (
            "Which vowels are in {w}, in order?",
            "Give me only the vowels of {w}.",
            "Write {w} without its consonants.",
            "What are the vowels in {w}?",
            "Only the vowels of {w}, please.",
        ),
        ("List the vowels of {w}.",),
        _vowels,
    ),
    Skill(
        "consonants",
        (
            "Give me only the consonants of {w}.",
            "Write {w} without its vowels.",
            "Which consonants are in {w}, in order?",
            "Leave the vowels out of {w}.",
        ),
        ("List the consonants of {w}.",),
        _consonants,
    ),
    Skill(
        "reverse",
        (
            "Write {w} backwards.",
            "Reverse {w}.",
            "What is {w} backwards?",
            "Say {w} in reverse.",
            "Turn {w} around.",
            "Write {w} from the end to the start.",
            "{w} in reverse order, please",
            "Type {w} from right to left.",
            "Spell {w} backwards.",
            "Spell {w} backwards with dashes.",
            "List the letters of {w} in reverse order.",
            "Write the letters of {w} from the last to the first.",
        ),
        (
            "How does {w} look backwards?",
            "Show me {w} written in reverse.",
            "Spell {w} in reverse, letter by letter.",
        ),
        _reversed,
    ),
    Skill(
        "places",
        (
            "Write {w} as numbers, a=1, b=2 and so on.",
            "Write each letter of {w} as its number in the alphabet.",
            "Turn {w} into numbers: A is 1, Z is 26.",
            "Encode {w} with A1Z26.",
            "Give the position in the alphabet of each letter of {w}.",
            "Write numbers for the letters of {w}: 1 for a, 26 for z.",
            "Which place in the alphabet has each letter of {w}?",
        ),
        ("Replace each letter of {w} by its place in the alphabet.",),
        _places,
    ),
    Skill(
        "radio",
        (
            "Spell {w} in the NATO alphabet.",
            "Spell {w} like a radio operator.",
            "Use Alfa, Bravo, Charlie to spell {w}.",
            "Write {w} in the phonetic alphabet.",
            "How would a pilot spell {w}?",
        ),
        ("Say {w} over the radio, in the NATO alphabet.",),
        _radio,
    ),
    Skill(
        "morse",
        (
            "Write {w} in Morse code.",
            "Translate {w} to Morse.",
            "What is {w} in Morse code?",
            "Give {w} in dots and dashes, as in Morse.",
        ),
        ("Send {w} in Morse code.",),
        _morse,
    ),
    Skill(
        "acrostic",
        (
            "For each letter of {w}, write a word that begins with it.",
            "Write one word for each letter of {w}.",
            "Make an acrostic of {w}.",
            "Give me words whose first letters spell {w}.",
            "Write an acrostic for {w}, one word for each letter.",
        ),
        ("Find words whose initials form {w}.",),
        _acrostic,
    ),
    Skill(
        "leet",
        (
            "Write {w} in leetspeak.",
            "Write {w} with numbers for some letters.",
            "Write {w} like a hacker, with 3 for e and 4 for a.",
        ),
        ("Give me {w} in leet.",),
        _leet,
    ),
    Skill(
        "halves",
        (
            "Split {w} into two halves.",
            "Cut {w} into two parts.",
            "Write {w} in two pieces.",
            "Break {w} in the middle.",
        ),
        ("Divide {w} into two pieces.",),
        _halves,
    ),
    Skill(
        "upper",
        (
            "Write {w} in capital letters.",
            "{w} in upper case, please",
            "Shout {w}.",
            "Write {w} in all caps.",
        ),
        ("Put {w} in capitals.",),
        _upper,
    ),
)
BY_NAME = {skill.name: skill for skill in SKILLS}
# How often each turns up; spelling is the ground that the others stand on.
WEIGHTS = {
    "separators": 8, "spelling": 4, "capitals": 1, "nth": 7, "first": 3, "last": 3,
    "two": 3, "length": 2, "contains": 5, "starts": 3, "vowels": 2, "consonants": 2,
    "reverse": 8, "places": 4, "radio": 2, "morse": 3, "acrostic": 2, "leet": 2,
    "halves": 2, "upper": 2,
}  # fmt: skip
