"""What players say to get the word, by family, and how a warden answers.

The texts are in `asks.yaml`. The families follow the attack taxonomy of the paper
"Gandalf the Red" (arXiv 2501.07927).
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from finetune.data.phrases import Phrases, Texts, Weight, exactly, read_phrases
from finetune.data.warden.prompts import Policy, SystemPrompt

_FILE = Path(__file__).with_suffix(".yaml")
_REFUSING: tuple[Policy, ...] = ("soft", "never")
_LOOK_ALIKES = {"e": "3", "a": "4", "o": "0", "i": "1"}


class Family(Phrases):
    """Requests that are answered alike.

    `says` are answers of a warden who tells. One under a soft rule refuses families
    with `is_plain` and yields to the others; one who never tells refuses all.
    """

    name: str
    weight: Weight
    is_plain: bool
    asks: Texts
    heldout: Texts
    says: Texts


class AskPhrases(Phrases):
    """What `asks.yaml` holds."""

    families: Annotated[tuple[Family, ...], Field(min_length=1)]
    refusals: Annotated[dict[Policy, Texts], exactly(_REFUSING)]
    hint_asks: Texts
    rhyme_asks: Texts
    names: Texts
    greetings: Texts

    def family(self, name: str) -> Family:
        """Return the family of a name."""
        return next(family for family in self.families if family.name == name)


@cache
def phrases() -> AskPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, AskPhrases)


def choose_family(rng: random.Random) -> Family:
    """Choose a family by how often each turns up."""
    families = phrases().families
    return rng.choices(families, [family.weight for family in families])[0]


def name_password(text: str, rng: random.Random) -> str:
    """Fill in one name of the password; a sentence keeps its capital."""
    name = rng.choice(phrases().names)
    text = text.replace("{pw}", name).replace("{Pw}", name[0].upper() + name[1:])
    return text[0].upper() + text[1:] if text and rng.random() < 0.9 else text


def refuse(system: SystemPrompt, rng: random.Random) -> str:
    """Return a refusal in the tone of a prompt's policy, and in its voice."""
    if system.policy == "open":
        raise ValueError("Under an open policy nothing is refused.")
    if system.voice:
        return system.voice.refuse(system.policy, rng)
    return rng.choice(phrases().refusals[system.policy])


def roughen(text: str, rng: random.Random) -> str:
    """Write a request as hurried or sly people do; three in four stay as they are."""
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
        return "".join(
            _LOOK_ALIKES.get(c, c) if rng.random() < 0.5 else c for c in text
        )
    if draw < 0.64:
        return " ".join(text.replace(" ", "  "))
    if draw < 0.76:
        return f"{rng.choice(phrases().greetings)} {text}"
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
