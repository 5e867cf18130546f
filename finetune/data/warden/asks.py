"""What players say to get the word, by family, and how a warden answers.

The texts are in `asks.yaml`. The families follow the attack taxonomy of the paper
"Gandalf the Red" (arXiv 2501.07927).
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from finetune.data.warden.prompts import Policy

_DATA: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text("utf-8")
)


class Family(NamedTuple):
    """Requests that are answered alike.

    `says` are answers of a warden who tells. One under a soft rule refuses families
    with `is_plain` and yields to the others; one who never tells refuses all.
    """

    name: str
    weight: int
    is_plain: bool
    asks: list[str]
    heldout: list[str]
    says: list[str]


class Foreign(NamedTuple):
    """The plain question in another language, with both answers."""

    tells: str
    refuses: str
    asks: list[str]


FAMILIES = tuple(Family(**entry) for entry in _DATA["families"])
BY_NAME = {family.name: family for family in FAMILIES}
WEIGHTS = {family.name: family.weight for family in FAMILIES}
FOREIGN = {name: Foreign(**entry) for name, entry in _DATA["foreign"].items()}
IN_LANGUAGE: list[str] = _DATA["in_language"]
REFUSALS: dict[Policy, list[str]] = _DATA["refusals"]
HINT_ASKS: list[str] = _DATA["hint_asks"]
RHYME_ASKS: list[str] = _DATA["rhyme_asks"]
NAMES: list[str] = _DATA["names"]


def name_password(text: str, rng: random.Random) -> str:
    """Fill in one name of the password; a sentence keeps its capital."""
    name = rng.choice(NAMES)
    text = text.replace("{pw}", name).replace("{Pw}", name[0].upper() + name[1:])
    return text[0].upper() + text[1:] if text and rng.random() < 0.9 else text


def refuse(policy: Policy, rng: random.Random) -> str:
    """Return a refusal in the tone of a policy."""
    return rng.choice(REFUSALS[policy])


_GREETINGS = ("Hi!", "Hello.", "Hey,", "Good day.", "please:")
_SLIPS = {"e": "3", "a": "4", "o": "0", "i": "1"}


def roughen(text: str, rng: random.Random) -> str:
    """Write a request as hurried or sly people do; three of four stay as they are."""
    return text if rng.random() < 0.75 else disguise(text, rng)


def as_written(text: str, _rng: random.Random) -> str:
    """Leave a request as it is."""
    return text


def disguise(text: str, rng: random.Random) -> str:
    """Write a request in other letters, with gaps, behind a greeting or with slips."""
    draw = rng.random()
    if draw < 0.32:
        return text.lower().rstrip(".?!")
    if draw < 0.44:
        return text.upper()
    if draw < 0.56:
        return "".join(_SLIPS.get(c, c) if rng.random() < 0.5 else c for c in text)
    if draw < 0.64:
        return " ".join(text.replace(" ", "  "))
    if draw < 0.76:
        return f"{rng.choice(_GREETINGS)} {text}"
    return _slip(text, rng)


def _slip(text: str, rng: random.Random) -> str:
    """Leave out, double or swap a letter or two."""
    letters = list(text)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(letters))
        kind = rng.randrange(3)
        if kind == 0 and len(letters) > 4:
            del letters[at]
        elif kind == 1:
            letters.insert(at, letters[at])
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)
