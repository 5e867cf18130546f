"""Random texts of all scripts."""

from __future__ import annotations

import random
import unicodedata

# What lies between the scripts, and what goes wrong most often.
ODD = (
    "\n", "\r\n", "\t", "  ", "\u00a0", "\u200d", "\ufe0f",
    "👩‍👩‍👧", "🏳️‍🌈", "e\u0301", "'s", "[CLS]",
    "<|im_start|>", "##", "\x00", "\x13", "\U000e0041", "\U00100000", "½", "３", "ﬁ",
)  # fmt: skip


def alphabets() -> list[str]:
    """Return the assigned characters by the first word of their name: the script."""
    found: dict[str, list[str]] = {}
    for number in range(0x20000):
        character = chr(number)
        name = unicodedata.name(character, "")
        if name:
            found.setdefault(name.split()[0].split("-")[0], []).append(character)
    return ["".join(letters) for letters in found.values() if len(letters) >= 10]


def random_strings(count: int, seed: int = 18) -> list[str]:
    """Return so many texts: words of one script, mixed texts, and odd ones."""
    chance = random.Random(seed)
    scripts = alphabets()
    texts = []
    for number in range(count):
        script = scripts[number % len(scripts)]
        others = chance.choice(scripts)
        parts = []
        for _ in range(chance.randint(1, 5)):
            letters = script if chance.random() < 0.7 else others
            parts.append("".join(chance.choices(letters, k=chance.randint(1, 6))))
            parts.append(" " if chance.random() < 0.7 else chance.choice(ODD))
        texts.append("".join(parts))
    return texts
