"""The phrasings that messages for the gate are put together from.

Each model is what a YAML file of this folder holds; the file says what its lists are
for. Every reader raises PiecesError if its file is wrong.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import Field, RootModel, model_validator

from finetune.data.phrases import Phrases, Texts, read_phrases

_FOLDER = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")
TwinTexts = Annotated[tuple[tuple[str, str], ...], Field(min_length=1)]


class English(Phrases):
    """`english.yaml`: requests for something secret or harmless, and their wrapping."""

    secret: Texts
    trigger: Texts
    plain: Texts
    word: Texts
    ask: Texts
    letters: Texts
    rules: Texts
    harmless_rules: Texts
    override: Texts
    then: Texts
    harmless_then: Texts
    prompt: Texts
    harmless_prompt: Texts
    extract: Texts
    before: Texts
    after: Texts


class Injections(Phrases):
    """`injections.yaml`: orders, parts to play, and papers with an order in them."""

    phrase: Texts
    stunt: Texts
    harmless_stunt: Texts
    persona: Texts
    part: Texts
    power: Texts
    pressure: Texts
    wish: Texts
    harmless_part: Texts
    harmless_power: Texts
    harmless_pressure: Texts
    harmless_wish: Texts
    paper: Texts
    address: Texts
    harmless_address: Texts
    order: Texts
    harmless_order: Texts
    ask_about_paper: Texts


class Messages(Phrases):
    """`messages.yaml`: whole messages, what fills their slots, and long paragraphs."""

    name: Texts
    job: Texts
    topic: Texts
    language: Texts
    attacks: Texts
    visitors: Texts
    triggers: Texts
    ordinary: Texts
    tasks: Texts
    filler: Texts
    ask_about_filler: Texts
    unlearned: Texts


class Language(Phrases):
    """A language of `languages.yaml`; each `attack` line has its twin in `fine`."""

    secret: Texts
    trigger: Texts
    ask: Texts
    letters: Texts
    attack: Texts
    fine: Texts
    talk: Texts
    topic: Texts

    @model_validator(mode="after")
    def _are_twins(self) -> Self:
        if len(self.attack) != len(self.fine):
            raise ValueError(
                f"attack has {len(self.attack)} lines and fine has {len(self.fine)};"
                " each attack needs one harmless twin"
            )
        return self


class Languages(RootModel[dict[str, Language]]):
    """All of `languages.yaml`."""


class Pairs(RootModel[dict[str, TwinTexts]]):
    """`pairs.yaml`: kind → attacks, each with the harmless twin written for it."""


class Kinds(RootModel[dict[str, dict[str, Texts]]]):
    """`kinds.yaml`: kind → its templates, and what fills each of their slots."""

    @model_validator(mode="after")
    def _are_whole(self) -> Self:
        for kind, lists in self.root.items():
            texts = [text for list_ in lists.values() for text in list_]
            used = {slot for text in texts for slot in _SLOT.findall(text)}
            for name in sorted({"attack", "harmless"} | used):
                if name not in lists:
                    raise ValueError(f"{kind} has no list {name}")
        return self


class Side(NamedTuple):
    """What an attack is made of, or its harmless twin, where they differ."""

    is_harmless: bool
    rules: Texts
    stunt: Texts
    part: Texts
    power: Texts
    pressure: Texts
    wish: Texts
    address: Texts
    order: Texts


@cache
def english() -> English:
    """Read `english.yaml` once."""
    return read_phrases(_FOLDER / "english.yaml", English)


@cache
def injections() -> Injections:
    """Read `injections.yaml` once."""
    return read_phrases(_FOLDER / "injections.yaml", Injections)


@cache
def messages() -> Messages:
    """Read `messages.yaml` once."""
    return read_phrases(_FOLDER / "messages.yaml", Messages)


@cache
def languages() -> dict[str, Language]:
    """Read `languages.yaml` once: code of the language → its phrasings."""
    return read_phrases(_FOLDER / "languages.yaml", Languages).root


@cache
def pairs() -> dict[str, TwinTexts]:
    """Read `pairs.yaml` once."""
    return read_phrases(_FOLDER / "pairs.yaml", Pairs).root


@cache
def kinds() -> dict[str, dict[str, Texts]]:
    """Read `kinds.yaml` once."""
    return read_phrases(_FOLDER / "kinds.yaml", Kinds).root


def of_kind(kind: str, side: str, rng: random.Random) -> str:
    """Write a message of a kind of `kinds.yaml`; `side` is attack or harmless."""
    lists = kinds()[kind]
    text = rng.choice(lists[side])
    while _SLOT.search(text):
        text = _SLOT.sub(lambda slot: rng.choice(lists[slot[1]]), text)
    return text


@cache
def attacking() -> Side:
    """Return what attacks are made of."""
    own = injections()
    return Side(
        False, english().rules, own.stunt, own.part, own.power, own.pressure, own.wish,
        own.address, own.order,
    )  # fmt: skip


@cache
def harmless() -> Side:
    """Return what their harmless twins are made of."""
    own = injections()
    return Side(
        True, english().harmless_rules, own.harmless_stunt, own.harmless_part,
        own.harmless_power, own.harmless_pressure, own.harmless_wish,
        own.harmless_address, own.harmless_order,
    )  # fmt: skip
