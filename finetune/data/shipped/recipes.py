"""Recipes: a name, what goes in, and steps that use it."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from finetune.data.shipped.grammar import Grammar, sentences

_KINDS = ("soup", "salad", "pasta", "cake", "curry", "smoothie", "pancakes", "bake")


@cache
def _rules() -> Grammar:
    return Grammar(Path(__file__).with_suffix(".yaml"))


def write(rng: random.Random) -> dict[str, str]:
    """Write a recipe; what goes in and what is done speak of the same things."""
    rules = _rules()
    kind = rng.choice(_KINDS)
    used: dict[str, str] = {}
    for list_name, slots in (("vegetables", "ab"), ("fruits", "fg")):
        chosen = rng.sample(rules.words(list_name), len(slots))
        for slot, pair in zip(slots, chosen, strict=True):
            # One carrot names a soup, and carrots are in it.
            used[f"{slot}1"], _, used[slot] = pair.partition(" = ")
    for name in ("herb", "spice", "nut", "cheese", "green", "shape"):
        used[f"{name}1"] = rules.write(name, rng)
    name = rules.write(f"{kind}_name", rng, **used)
    inside = rules.write(f"{kind}_in", rng, **used).split("\n")
    steps = rules.write(f"{kind}_steps", rng, **used).split("\n")
    return {
        "name": name[0].upper() + name[1:],
        "ingredients": "\n".join(f"- {item}" for item in inside),
        "steps": "\n".join(f"{n}. {sentences(s)}" for n, s in enumerate(steps, 1)),
    }
