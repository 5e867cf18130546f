"""Reviews of things that were bought, with as many stars as their words have."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from finetune.data.shipped.grammar import Grammar, sentences

_STARS = ("one", "two", "three", "four", "five")
# As people give them: most are delighted, some are angry, few lie between.
_WEIGHTS = (20, 12, 14, 22, 32)


@cache
def _rules() -> Grammar:
    return Grammar(Path(__file__).with_suffix(".yaml"))


def write(rng: random.Random) -> dict[str, str]:
    """Write a review of a product."""
    rules = _rules()
    product = rules.write("product", rng)
    (stars,) = rng.choices(range(5), _WEIGHTS)
    thing = product.removeprefix("pair of ")
    text = rules.write(_STARS[stars], rng, thing=thing)
    return {"product": product, "stars": str(stars + 1), "text": sentences(text)}
