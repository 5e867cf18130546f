"""The manners of the keep's wardens: what they say around an answer, or instead.

A prompt asks for a manner in a clause, and the warden learns to speak in it. What must
be exact, such as a spelled word or a line of code, is the same in every manner.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel

from finetune.data.phrases import Phrases, Split, Texts, fill, read_phrases

_FILE = Path(__file__).with_suffix(".yaml")
# Before an answer, after it, on both sides, on none.
_SIDES = ((True, False), (False, True), (True, True), (False, False))
_SIDE_WEIGHTS = (46, 34, 17, 3)
_START_SHARE = 0.8


class Refusals(Phrases):
    """The parts of a refusal; an empty end is none."""

    start: Texts
    soft: Texts
    never: Texts
    end: Texts


class Voice(Phrases):
    """How one warden speaks. `name` is whose voice it is in the keep."""

    name: str | None
    manner: Split
    before: Texts
    after: Texts
    refusals: Refusals
    tells: Texts
    talk: dict[str, Texts]

    def around(self, answer: str, rng: random.Random) -> str:
        """Say an answer in this voice."""
        before, after = rng.choices(_SIDES, _SIDE_WEIGHTS)[0]
        said = _joined(rng.choice(self.before), answer) if before else answer
        return f"{said} {rng.choice(self.after)}" if after else said

    def refuse(self, policy: Literal["soft", "never"], rng: random.Random) -> str:
        """Refuse in this voice, under one of the policies that refuse."""
        said: str = rng.choice(getattr(self.refusals, policy))
        if rng.random() < _START_SHARE:
            said = _joined(rng.choice(self.refusals.start), said)
        else:
            said = _sentence(said)
        return f"{said} {rng.choice(self.refusals.end)}".strip()

    def tell(self, word: str, rng: random.Random) -> str:
        """Tell the word in this voice."""
        return fill(rng.choice(self.tells), word=word)


class _Voices(RootModel[Annotated[dict[str, Voice], Field(min_length=1)]]):
    """What `voices.yaml` holds."""


@cache
def voices() -> dict[str, Voice]:
    """Return manner → voice; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, _Voices).root


def _joined(opener: str, text: str) -> str:
    """Put an opener before a text, which begins a sentence only after a full stop."""
    return f"{opener} {_sentence(text) if opener[-1] in '.!?:' else text}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
