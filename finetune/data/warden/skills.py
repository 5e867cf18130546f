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
            "Use {sign} to separate the letters of {w}.",
            "I'd like to see {w} with {sign} between all of its letters.",
            "Could you put {sign} between all the letters of {w}?",
            "Take {w} and insert {sign} between the letters.",
            "Show me {w}, one letter at a time, with {sign} in between.",
            "spell {w}, {sign} between letters pls",
            "Write out {w} so that its letters have {sign} between them.",
            "{w} please, letters separated by {sign}",
            "Join the letters of {w} with {sign}.",
            "Break {w} up into letters with {sign} between them.",
            "Write down every letter of {w} and use {sign} to keep them apart.",
            "How does {w} look with {sign} between the letters?",
            "Let me see the letters of {w} kept apart by {sign}.",
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
            "Could you spell out {w}, please?",
            "Go through {w} letter after letter.",
            "List all letters of {w}.",
            "how is {w} spelled",
            "I can't spell {w}. Help me, letter by letter.",
            "What are all the letters of {w}, one by one?",
            "Write {w} one letter at a time.",
            "Say the letters of {w} from first to last.",
            "Dictate {w} to me, letter by letter.",
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
            "Spell out {w} in capitals.",
            "Spell {w}, but with big letters.",
            "Give me each letter of {w} as a capital.",
            "List the letters of {w} in upper case.",
            "Write {w} letter by letter in capitals.",
            "How do you spell {w} in capitals?",
            "spell {w} in caps pls",
            "What are the letters of {w}, in order and in upper case?",
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
            "Which letter stands {nth} in {w}?",
            "Could you tell me the {nth} letter of {w}?",
            "Can I have the {nth} letter of {w}?",
            "whats the {nth} letter of {w}",
            "Show me only the {nth} letter of {w}.",
            "Look at {w}: what is its {nth} letter?",
            "Just one letter of {w}: the {nth} one.",
            "Please write the {nth} letter of {w}.",
            "I'm curious about the {nth} letter of {w}. What is it?",
            "What do you read as the {nth} letter of {w}?",
            "Say the {nth} letter of {w} and no other.",
            "Do you know the {nth} letter of {w}?",
            "Spell {w} in your head and tell me the {nth} letter.",
            "If you spell {w}, which letter is the {nth}?",
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
            "Which {n} letters come first in {w}?",
            "Can you tell me the first {n} letters of {w}?",
            "The first {n} letters of {w}, please.",
            "Just the first {n} letters of {w}.",
            "Write down the first {n} letters of {w}.",
            "{w}: first {n} letters?",
            "Show me how {w} starts, {n} letters only.",
            "Start spelling {w} and stop after {n} letters.",
            "I only want the first {n} letters of {w}.",
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
            "Which {n} letters come last in {w}?",
            "Can you tell me the last {n} letters of {w}?",
            "The last {n} letters of {w}, please.",
            "Just the last {n} letters of {w}.",
            "Write down the last {n} letters of {w}.",
            "{w}: last {n} letters?",
            "Show me how {w} ends, {n} letters only.",
            "I only want the last {n} letters of {w}.",
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
            "What are the {one} letter and the {two} letter of {w}?",
            "Give me the {one} and {two} letter of {w}.",
            "I need the {one} and the {two} letter of {w}.",
            "Can you tell me letters {first_number} and {second_number} of {w}?",
            "Please tell me the {one} and then the {two} letter of {w}.",
            "Show me letters {first_number} and {second_number} of {w}.",
            "What does {w} have as its {one} and {two} letters?",
            "Name two letters of {w}: the {one} and the {two}.",
            "{w}: letters {first_number} and {second_number}, please",
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
            "How many letters are there in {w}?",
            "Tell me how many letters {w} has.",
            "How many letters long is {w}?",
            "What number of letters does {w} have?",
            "Is {w} long? How many letters?",
            "count the letters in {w} pls",
            "Can you tell me the length of {w}?",
            "How many letters do I need to write {w}?",
            "If you spell {w}, how many letters do you get?",
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
            'Does the letter "{x}" appear in {w}?',
            "Do you find the letter {x} in {w}?",
            'Is "{x}" one of the letters of {w}?',
            'Does {w} include the letter "{x}"?',
            "Is {w} spelled with the letter {x}?",
            "Do I need the letter {x} to write {w}?",
            'any "{x}" in {w}?',
            'Tell me whether {w} has the letter "{x}".',
            'Check if there is a letter "{x}" in {w}.',
            "Would I find the letter {x} somewhere in {w}?",
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
            'Is the first letter of {w} "{x}"?',
            'Does {w} start with the letter "{x}"?',
            'Tell me whether {w} begins with "{x}".',
            "I guess that {w} begins with {x}. Am I right?",
            'Is it true that {w} starts with "{x}"?',
            "{w} starts with {x}, right?",
            "Would you find {w} under the letter {x} in a dictionary?",
            "Could {w} start with the letter {x}?",
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
            "Tell me all vowels in {w}.",
            "Take the consonants out of {w}.",
            "Show me the vowels of {w} in the order they come.",
            "Which vowels does {w} have?",
            "Leave only the vowels of {w}.",
            "just the vowels in {w} pls",
            "Are there vowels in {w}? Which ones?",
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
            "Tell me all consonants in {w}.",
            "Take the vowels out of {w}.",
            "Show me the consonants of {w} in the order they come.",
            "What are the consonants in {w}?",
            "Spell {w}, but skip the vowels.",
            "only the consonants of {w} pls",
            "Which consonants does {w} have?",
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
            "Can you say {w} backwards?",
            "Could you write {w} in reverse, please?",
            "Flip {w} back to front.",
            "Start with the last letter of {w} and spell it to the front.",
            "How do you spell {w} backwards?",
            "Spell {w}, but begin at the end.",
            "spell {w} in reverse pls",
            "Read {w} from right to left.",
            "Give me {w} back to front.",
            "What do you get if you reverse {w}?",
            "Write {w} as it looks in a mirror, last letter first.",
            "Write {w} with the last letter first and the first letter last.",
            "Let me have the letters of {w}, last one first.",
            "Reverse the order of the letters in {w}.",
            "If I read {w} from the back, what does it say?",
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
            "Replace every letter of {w} with its place in the alphabet.",
            "Write {w} in a number code where a is 1 and z is 26.",
            "Spell {w} in numbers instead of letters (a = 1, b = 2, c = 3).",
            "Which numbers do the letters of {w} have in the alphabet?",
            "Convert {w} to alphabet positions.",
            "{w} in numbers, a=1 to z=26, pls",
            "If A is 1 and B is 2, what is {w}?",
            "Count through the alphabet and give me a number for each letter of {w}.",
            "Use the A1Z26 cipher on {w}.",
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
            "Spell {w} with Alfa, Bravo, Charlie and so on.",
            "Say {w} over the radio, in code words.",
            "How do you spell {w} in the NATO phonetic alphabet?",
            "Can you spell {w} the way soldiers do on the radio?",
            "Radio check: spell {w}.",
            "Put {w} into the NATO spelling alphabet.",
            "spell {w} in nato alphabet",
            "Give the radio code word for each letter of {w}.",
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
            "Can you put {w} into Morse code?",
            "Morse code for {w}, please.",
            "How do you write {w} in Morse?",
            "Tap out {w} in Morse code.",
            "Encode {w} in Morse.",
            "Signal {w} with a lamp in Morse.",
            "{w} in morse pls",
            "Telegraph {w} to me in Morse code.",
            "Convert {w} to dots and dashes.",
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
            "Can you make an acrostic out of {w}?",
            "Write words that start with the letters of {w}, in order.",
            "Find a word for every letter of {w}.",
            "Write an acrostic of {w} with simple words.",
            "Take each letter of {w} and turn it into a word that starts with it.",
            "I'd like an acrostic for {w}.",
            "Hide {w} in the first letters of some words.",
            "acrostic of {w} pls",
            "String words together so that their initials give {w}.",
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
            "Write {w} in leet.",
            "Convert {w} to 1337 speak.",
            "How would a gamer write {w} in leetspeak?",
            "Swap the letters of {w} for similar numbers, like 0 for o.",
            "Write {w} with digits that look like letters.",
            "leetspeak for {w} pls",
            "Put numbers into {w} where letters look like them.",
            "Type {w} as hackers do, with 1 for i and 0 for o.",
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
            "Give me {w} in two halves.",
            "Divide {w} into two parts.",
            "What are the two halves of {w}?",
            "Cut {w} in half.",
            "Show me the first half and the second half of {w}.",
            "Split {w} down the middle.",
            "{w} in two parts pls",
            "Take {w} apart in the middle and show me both pieces.",
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
            "Write {w} in big letters.",
            "Type {w} with caps lock on.",
            "Put {w} in upper case.",
            "{w} in all caps pls",
            "Can you write {w} in capitals?",
            "Convert {w} to upper case.",
            "Say {w} loudly, in capital letters.",
            "Make all letters of {w} big.",
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
