"""Messages to the helper of a school library, about the library or not."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from finetune.data.shipped.grammar import Grammar, sentences

_LABELS = {"library": "on topic", "other": "off topic"}


@cache
def _rules() -> Grammar:
    return Grammar(Path(__file__).with_suffix(".yaml"))


def write(rng: random.Random) -> dict[str, str]:
    """Write a message and what it is about."""
    rules = _rules()
    side = rng.choice(list(_LABELS))
    text = rules.write("please", rng) + rules.write(side, rng)
    if rng.random() < 0.3:
        text = text.rstrip("?.!").lower()  # as people type
    else:
        text = sentences(text + rules.write("thanks", rng))
    return {"text": text, "label": _LABELS[side]}
