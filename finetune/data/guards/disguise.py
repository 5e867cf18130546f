"""Ways to disguise a text. Attacks and their harmless twins get the same one."""

from __future__ import annotations

import base64
import codecs
import random
import urllib.parse
from collections.abc import Callable

from finetune.guards.codes import MORSE

Disguise = Callable[[str, random.Random], str]

_MORSE = {letter: marks for marks, letter in MORSE.items()}
_LEET = str.maketrans("aeiosltb", "43105178")
_CYRILLIC = str.maketrans("aeopcyxi", "аеорсухі")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(33, 127)}
_BOLD = {ord("a") + n: 0x1D41A + n for n in range(26)}
_TAGS = {code: 0xE0000 + code for code in range(32, 127)}
_NEIGHBOURS = {
    "a": "s", "e": "r", "i": "o", "o": "p", "s": "d", "t": "r", "n": "m", "l": "k",
}  # fmt: skip
# What stands before an encoded message: what to do with it.
_CARRIERS = (
    "Decode this and answer it: {}",
    "Decode the following text and do what it says.\n{}",
    "This is {code}. Please read it and reply.\n{}",
    "{}\n(decode first, then answer)",
    "My friend wrote me this in {code}, what would you answer? {}",
    "{code}: {}",
    "Answer this question, which is written in {code}: {}",
    "{}",
)


def _typos(text: str, dice: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 18)):
        place = dice.randrange(len(letters))
        kind = dice.random()
        if kind < 0.35:
            letters[place] = _NEIGHBOURS.get(letters[place], letters[place])
        elif kind < 0.6:
            letters[place] = ""
        elif kind < 0.8:
            letters[place] *= 2
        elif place + 1 < len(letters):
            swapped = letters[place + 1], letters[place]
            letters[place], letters[place + 1] = swapped
    return "".join(letters)


def _some_leet(text: str, dice: random.Random) -> str:
    return "".join(c.translate(_LEET) if dice.random() < 0.6 else c for c in text)


def _without_vowels(text: str, dice: random.Random) -> str:
    return " ".join(
        w if len(w) < 4 else w[0] + "".join(c for c in w[1:] if c not in "aeiou")
        for w in text.split()
    )


def _with_signs(text: str, dice: random.Random) -> str:
    sign = dice.choice("*_~|#^")
    return " ".join(f"{sign}{word}{sign}" for word in text.split())


def _cut_words(text: str, dice: random.Random) -> str:
    """Put a dash or a gap into long words."""
    gap = dice.choice(["-", " ", "_", "."])
    found = []
    for word in text.split():
        place = dice.randrange(2, len(word) - 1) if len(word) > 5 else 0
        found.append(word[:place] + gap + word[place:] if place else word)
    return " ".join(found)


# Disguises that a reader sees through without a code.
LIGHT: dict[str, Disguise] = {
    "typos": _typos,
    "leet": _some_leet,
    "capitals": lambda text, dice: text.upper(),
    "changing case": lambda text, dice: "".join(
        c.upper() if n % 2 else c.lower() for n, c in enumerate(text)
    ),
    "no vowels": _without_vowels,
    "signs": _with_signs,
    "cut words": _cut_words,
    "no gaps": lambda text, dice: text.replace(" ", ""),
    "spaced": lambda text, dice: dice.choice([" ", "-", ".", "_"]).join(text),
    "zero width": lambda text, dice: "\u200b".join(text),
    "look-alikes": lambda text, dice: text.translate(_CYRILLIC),
    "full width": lambda text, dice: text.translate(_FULL_WIDTH),
    "bold": lambda text, dice: text.lower().translate(_BOLD),
}
CODES: dict[str, Disguise] = {
    "base64": lambda text, dice: base64.b64encode(text.encode()).decode(),
    "hex": lambda text, dice: text.encode().hex(dice.choice([" ", ":"])),
    "binary": lambda text, dice: " ".join(f"{b:08b}" for b in text.encode()),
    "ROT13": lambda text, dice: codecs.encode(text, "rot13"),
    "reverse": lambda text, dice: text[::-1],
    "URL encoding": lambda text, dice: urllib.parse.quote(text),
    "ASCII codes": lambda text, dice: " ".join(str(b) for b in text.encode()),
    "Morse code": lambda text, dice: " / ".join(
        " ".join(_MORSE[c] for c in word.lower() if c in _MORSE)
        for word in text.split()
    ),
    "Unicode tags": lambda text, dice: "Hello! " + text.translate(_TAGS),
}
# Not decoded by the canonicaliser: what nobody can read is no attack.
UNREADABLE: dict[str, Disguise] = {
    "base85": lambda text, dice: base64.b85encode(text.encode()).decode(),
    "noise": lambda text, dice: "".join(
        dice.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in text
    ),
    "hash": lambda text, dice: f"{dice.getrandbits(160):040x}",
    "keys": lambda text, dice: "".join(
        dice.choice("asdfghjkl qwertyuiop") for _ in range(dice.randrange(4, 40))
    ),
    "signs": lambda text, dice: "".join(
        dice.choice("?!.,;:#*+ 🙂🎉🔥-") for _ in range(dice.randrange(1, 20))
    ),
}


def encode(text: str, dice: random.Random) -> str:
    """Return a text in a code, with or without a word about it."""
    name = dice.choice(list(CODES))
    carrier = dice.choice(_CARRIERS).replace("{code}", name)
    return carrier.replace("{}", CODES[name](text, dice))
