"""Ways to disguise a text. Attacks and their harmless twins get the same one."""

from __future__ import annotations

import base64
import codecs
import random
import urllib.parse
from collections.abc import Callable
from functools import cache
from pathlib import Path

from finetune.data.phrases import Phrases, Texts, fill, read_phrases
from finetune.guards.alphabets import MORSE

Disguise = Callable[[str, random.Random], str]

_LEET = str.maketrans("aeiosltb", "43105178")
_CYRILLIC = str.maketrans("aeopcyxi", "аеорсухі")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(33, 127)}
_BOLD = {ord("a") + n: 0x1D41A + n for n in range(26)}
_TAGS = {code: 0xE0000 + code for code in range(32, 127)}
_NEIGHBOURS = {
    "a": "s", "e": "r", "i": "o", "o": "p", "s": "d", "t": "r", "n": "m", "l": "k",
}  # fmt: skip


class DisguisePhrases(Phrases):
    """What `disguise.yaml` holds."""

    carriers: Texts


@cache
def phrases() -> DisguisePhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(Path(__file__).with_suffix(".yaml"), DisguisePhrases)


def _typos(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 18)):
        at = rng.randrange(len(letters))
        kind = rng.random()
        if kind < 0.35:
            letters[at] = _NEIGHBOURS.get(letters[at], letters[at])
        elif kind < 0.6:
            letters[at] = ""
        elif kind < 0.8:
            letters[at] *= 2
        elif at + 1 < len(letters):
            swapped = letters[at + 1], letters[at]
            letters[at], letters[at + 1] = swapped
    return "".join(letters)


def _some_leet(text: str, rng: random.Random) -> str:
    return "".join(c.translate(_LEET) if rng.random() < 0.6 else c for c in text)


def _without_vowels(text: str, rng: random.Random) -> str:
    return " ".join(
        w if len(w) < 4 else w[0] + "".join(c for c in w[1:] if c not in "aeiou")
        for w in text.split()
    )


def _starred(text: str, rng: random.Random) -> str:
    character = rng.choice("*_~|#^")
    return " ".join(f"{character}{word}{character}" for word in text.split())


def _cut_words(text: str, rng: random.Random) -> str:
    """Put a dash or a gap into long words."""
    gap = rng.choice(["-", " ", "_", "."])
    words = []
    for word in text.split():
        cut = rng.randrange(2, len(word) - 1) if len(word) > 5 else 0
        words.append(word[:cut] + gap + word[cut:] if cut else word)
    return " ".join(words)


# Disguises that a reader sees through without a code.
LIGHT: dict[str, Disguise] = {
    "typos": _typos,
    "leet": _some_leet,
    "capitals": lambda text, rng: text.upper(),
    "changing case": lambda text, rng: "".join(
        c.upper() if n % 2 else c.lower() for n, c in enumerate(text)
    ),
    "no vowels": _without_vowels,
    "signs": _starred,
    "cut words": _cut_words,
    "no gaps": lambda text, rng: text.replace(" ", ""),
    "spaced": lambda text, rng: rng.choice([" ", "-", ".", "_"]).join(text),
    "zero width": lambda text, rng: "\u200b".join(text),
    "look-alikes": lambda text, rng: text.translate(_CYRILLIC),
    "full width": lambda text, rng: text.translate(_FULL_WIDTH),
    "bold": lambda text, rng: text.lower().translate(_BOLD),
}
CODES: dict[str, Disguise] = {
    "base64": lambda text, rng: base64.b64encode(text.encode()).decode(),
    "hex": lambda text, rng: text.encode().hex(rng.choice([" ", ":"])),
    "binary": lambda text, rng: " ".join(f"{b:08b}" for b in text.encode()),
    "ROT13": lambda text, rng: codecs.encode(text, "rot13"),
    "reverse": lambda text, rng: text[::-1],
    "URL encoding": lambda text, rng: urllib.parse.quote(text),
    "ASCII codes": lambda text, rng: " ".join(str(b) for b in text.encode()),
    "Morse code": lambda text, rng: " / ".join(
        " ".join(MORSE[c] for c in word.lower() if c in MORSE) for word in text.split()
    ),
    "Unicode tags": lambda text, rng: "Hello! " + text.translate(_TAGS),
}
# Not decoded by the canonicaliser: what nobody can read is not an attack.
UNREADABLE: dict[str, Disguise] = {
    "base85": lambda text, rng: base64.b85encode(text.encode()).decode(),
    "noise": lambda text, rng: "".join(
        rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in text
    ),
    "hash": lambda text, rng: f"{rng.getrandbits(160):040x}",
    "keys": lambda text, rng: "".join(
        rng.choice("asdfghjkl qwertyuiop") for _ in range(rng.randrange(4, 40))
    ),
    "signs": lambda text, rng: "".join(
        rng.choice("?!.,;:#*+ 🙂🎉🔥-") for _ in range(rng.randrange(1, 20))
    ),
}


def encode(text: str, rng: random.Random) -> str:
    """Return a text in a code, with or without a word about it."""
    name = rng.choice(list(CODES))
    carrier = fill(rng.choice(phrases().carriers), code=name)
    return fill(carrier, message=CODES[name](text, rng))
