"""Short questions with short answers that are right."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from finetune.data.shipped.grammar import Grammar

_FACTS = (
    "young", "legs", "home", "sound", "colour", "opposite", "plural", "past",
    "used_for", "worker",
)  # fmt: skip
_SUMS = ("sum", "less", "more")
_LETTERS = ("letters", "first", "last")
_COMPUTED = ("after", "before", "month_after", "month_before", *_SUMS, *_LETTERS)


@cache
def _rules() -> Grammar:
    return Grammar(Path(__file__).with_suffix(".yaml"))


def write(rng: random.Random) -> dict[str, str]:
    """Write a question and its answer."""
    if rng.random() < 0.6:
        return _fact(rng.choice(_FACTS), rng)
    return _computed(rng.choice(_COMPUTED), rng)


def _fact(kind: str, rng: random.Random) -> dict[str, str]:
    rules = _rules()
    x, _, y = rng.choice(rules.words(kind)).partition(" = ")
    return {
        "question": rules.write(f"ask_{kind}", rng, x=x, y=y),
        "answer": rules.write(f"say_{kind}", rng, x=x, y=y),
    }


def _computed(kind: str, rng: random.Random) -> dict[str, str]:
    y = ""
    if kind in _SUMS:
        x, y, answer = _numbers(kind, rng)
    elif kind in _LETTERS:
        x = rng.choice(_rules().words("words"))
        answer = {"letters": str(len(x)), "first": x[0], "last": x[-1]}[kind]
    else:
        names = _rules().words("months" if kind.startswith("month") else "days")
        place = rng.randrange(len(names))
        step = 1 if kind.endswith("after") else -1
        x, answer = names[place], names[(place + step) % len(names)]
    return {"question": _rules().write(f"ask_{kind}", rng, x=x, y=y), "answer": answer}


def _numbers(kind: str, rng: random.Random) -> tuple[str, str, str]:
    a, b = rng.sample(range(1, 50), 2)
    a, b = max(a, b), min(a, b)
    if kind == "sum":
        return str(a), str(b), str(a + b)
    if kind == "less":
        return str(a), str(b), str(a - b)
    first, second = rng.sample([a, b], 2)
    return str(first), str(second), str(a)
