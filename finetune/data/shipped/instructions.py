"""Small tasks with words and lists, some with an input, and what they come to."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from finetune.data.shipped.grammar import Grammar, sentences

# What is done to a list of words.
_WORDS: dict[str, Callable[[Sequence[str]], str]] = {
    "reverse": lambda words: ", ".join(words[::-1]),
    "sort": lambda words: ", ".join(sorted(words)),
    "count": lambda words: str(len(words)),
    "longest": lambda words: max(words, key=len),
    "joined": "-".join,
    "numbered": lambda words: "\n".join(f"{n}. {w}" for n, w in enumerate(words, 1)),
    "first": lambda words: words[0],
    "last": lambda words: words[-1],
}
_LONE = ("spell", "repeat", "count_up", "count_down", "greet", "thank", "about")


@cache
def _rules() -> Grammar:
    return Grammar(Path(__file__).with_suffix(".yaml"))


def write(rng: random.Random) -> dict[str, str]:
    """Write a task, its input, which is empty for some, and its output."""
    kind = rng.choice((*_WORDS, "upper", *_LONE, "who", "question", "negative"))
    if kind in _WORDS:
        return _words(kind, rng)
    if kind in _LONE:
        return _lone(kind, rng)
    return _sentence(kind, rng)


def _row(kind: str, rng: random.Random, given: str, output: str) -> dict[str, str]:
    instruction = _rules().write(kind, rng)
    return {"instruction": instruction, "input": given, "output": output}


def _words(kind: str, rng: random.Random) -> dict[str, str]:
    words = rng.sample(_rules().words("words"), rng.randint(2, 6))
    if kind == "longest":
        # One answer is right only where one word is the longest.
        words = list({len(word): word for word in words}.values())
    return _row(kind, rng, ", ".join(words), _WORDS[kind](words))


def _sentence(kind: str, rng: random.Random) -> dict[str, str]:
    rules = _rules()
    name, word = rules.write("names", rng), rules.write("words", rng)
    if kind == "who":
        verb = rules.write("does", rng)
        return _row(kind, rng, f"{name} {verb} the {word}.", name)
    if kind == "upper":
        text = sentences(rules.write("sentence", rng))
        return _row(kind, rng, text, text.upper())
    other = rng.choice([each for each in rules.words("words") if each != word])
    place = f"The {word} is {rng.choice(('near', 'under', 'behind', 'on'))} the {other}"
    if kind == "question":
        asked = place.replace(f"The {word} is", f"Is the {word}")
        return _row(kind, rng, f"{place}.", f"{asked}?")
    return _row(kind, rng, f"{place}.", f"{place.replace(' is ', ' is not ')}.")


def _lone(kind: str, rng: random.Random) -> dict[str, str]:
    rules = _rules()
    word = rules.write("words", rng)
    slots = {"x": word, "w": word}
    if kind == "spell":
        output = "-".join(word)
    elif kind == "repeat":
        times = rng.randint(2, 5)
        slots["n"] = str(times)
        output = " ".join([word] * times)
    elif kind in ("count_up", "count_down"):
        first = rng.randint(1, 40)
        numbers = [*range(first, first + rng.randint(3, 8))]
        slots |= {"a": str(numbers[0]), "b": str(numbers[-1])}
        output = ", ".join(map(str, numbers[:: 1 if kind == "count_up" else -1]))
    else:
        slots["x"] = rules.write("names", rng)
        output = rules.write(f"say_{kind}", rng, **slots)
    instruction = rules.write(kind, rng, **slots)
    return {"instruction": instruction, "input": "", "output": output}
