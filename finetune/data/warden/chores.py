"""Small everyday requests whose answers are right by rule.

A base model of this size lists "1. The elephant 2. The elephant" and adds wrongly; here
it sees how such answers look. The words are those of the scribe and of the hints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import RootModel

from finetune.data.phrases import Phrases, Texts, Weight, exactly, fill, read_phrases
from finetune.data.words import Words, lists, with_an
from finetune.guards.alphabets import NUMBERS

_FILE = Path(__file__).with_suffix(".yaml")
# Kinds that are not counted with a plain s, and those without a single thing.
_PLURALS = {
    "fish": "fish", "country": "countries", "clothing": "pieces of clothing",
    "furniture": "pieces of furniture", "weather": "kinds of weather",
}  # fmt: skip
_NO_ARTICLE = frozenset(
    {"weather", "feeling", "metal", "sport", "clothing", "furniture"}
)

Slots = dict[str, str]


class Chore(NamedTuple):
    """A request and its answer; a bare one is said in the same words by everyone."""

    ask: str
    answer: str
    is_bare: bool


class _Phrasings(Phrases):
    ask: Texts
    say: Texts
    weight: Weight = 2
    is_bare: bool = False


def write_chore(words: Words, meanings: Mapping[str, str]) -> Chore:
    """Write a request; `meanings` has a short description for each of some nouns."""
    rng = words.rng
    known = _phrasings()
    name = rng.choices(list(known), [chore.weight for chore in known.values()])[0]
    slots = _meaning(words, meanings) if name == "meaning" else _MAKERS[name](words)
    chore = known[name]
    ask, answer = (
        with_an(fill(rng.choice(texts), **slots)) for texts in (chore.ask, chore.say)
    )
    return Chore(
        ask[0].upper() + ask[1:], answer[0].upper() + answer[1:], chore.is_bare
    )


def _plus(words: Words) -> Slots:
    a, b = (words.rng.randint(1, words.rng.choice((9, 12, 30))) for _ in "ab")
    return {"a": str(a), "b": str(b), "c": str(a + b)}


def _minus(words: Words) -> Slots:
    c, b = (words.rng.randint(1, words.rng.choice((9, 12, 20))) for _ in "cb")
    return {"a": str(c + b), "b": str(b), "c": str(c)}


def _times(words: Words) -> Slots:
    a, b = words.rng.randint(2, 10), words.rng.randint(2, 10)
    return {"a": str(a), "b": str(b), "c": str(a * b)}


def _doubled(words: Words) -> Slots:
    c = words.rng.choice((words.rng.randint(1, 20), 10 * words.rng.randint(2, 10)))
    return {"a": str(2 * c), "c": str(c)}


def _hard(words: Words) -> Slots:
    return {
        "big": str(words.rng.randint(101, 9999)),
        "large": str(words.rng.randint(23, 999)),
    }


def _larger(words: Words) -> Slots:
    a, b = words.rng.sample(range(1, 100), 2)
    return {"a": str(a), "b": str(b), "c": str(max(a, b))}


def _pair(name: str) -> Callable[[Words], Slots]:
    """Return a maker that draws {a} and {b} from a list of pairs."""

    def make(words: Words) -> Slots:
        a, b = words.pair(name)
        return {"a": a, "b": b, "A": a[0].upper() + a[1:]}

    return make


def _next_of(name: str) -> Callable[[Words], Slots]:
    def make(words: Words) -> Slots:
        listed = getattr(lists(), name)
        at = words.rng.randrange(len(listed))
        return {"a": listed[at - 1], "b": listed[at]}

    return make


def _listed(words: Words) -> Slots:
    kind, things = _kind(words)
    count = min(len(things), words.rng.choice((2, 3, 3, 3, 4, 4, 5, 5)))
    chosen = words.rng.sample(things, count)
    listed = f"{', '.join(chosen[:-1])} and {chosen[-1]}"
    return {
        "n": words.rng.choice((NUMBERS[count], NUMBERS[count], str(count))),
        "kinds": _PLURALS.get(kind, f"{kind}s"),
        "listed": listed,
        "Listed": listed[0].upper() + listed[1:],
        "lines": "\n".join(f"{at}. {thing}" for at, thing in enumerate(chosen, 1)),
    }


def _example(words: Words) -> Slots:
    kind, things = _kind(words)
    other = words.rng.choice([k for k in lists().kinds if k != kind])
    while any(thing in lists().kinds[other] for thing in things):
        other = words.rng.choice([k for k in lists().kinds if k != kind])
    thing = words.rng.choice(things)
    named = thing if kind in _NO_ARTICLE or thing[0].isupper() else f"a {thing}"
    kinds = {
        name: _PLURALS[k].replace("pieces", "piece").replace("kinds", "kind")
        if k in ("clothing", "furniture", "weather")
        else k
        for name, k in (("kind", kind), ("other", other))
    }
    return {"x": named, "X": named[0].upper() + named[1:], **kinds}


def _kind(words: Words) -> tuple[str, Sequence[str]]:
    kind = words.rng.choice(list(lists().kinds))
    things = words.side(lists().kinds[kind])
    return kind, things if len(things) > 5 else lists().kinds[kind]


def _count(words: Words) -> Slots:
    a = words.rng.choice((1, 1, 1, words.rng.randint(2, 12)))
    b = a + words.rng.randint(3, 9)
    counted = ", ".join(map(str, range(a, b + 1)))
    return {"a": str(a), "b": str(b), "counted": counted}


def _noun(words: Words) -> Slots:
    return {"a": words.noun()}


def _place(words: Words) -> Slots:
    return {"a": words.of("places")}


def _name(words: Words) -> Slots:
    return {"a": words.name()}


def _town(words: Words) -> Slots:
    return {"a": words.town()}


def _choice(words: Words) -> Slots:
    a, b = words.some(words.rng.choice(("foods", "hobbies", "pets", "colours")), 2)
    c = words.rng.choice((a, b))
    return {"a": a, "b": b, "c": c, "A": a.capitalize(), "C": c.capitalize()}


def _meaning(words: Words, meanings: Mapping[str, str]) -> Slots:
    noun = words.rng.choice(words.side(tuple(meanings)))
    return {"a": noun, "b": meanings[noun]}


_MAKERS: dict[str, Callable[[Words], Slots]] = {
    "plus": _plus,
    "minus": _minus,
    "times": _times,
    "half": _doubled,
    "double": _doubled,
    "hard": _hard,
    "larger": _larger,
    "capital": _pair("capitals"),
    "opposite": _pair("opposites"),
    "plural": _pair("plurals"),
    "past": _pair("pasts"),
    "sound": _pair("sounds"),
    "young": _pair("young"),
    "colour": _pair("thing_colours"),
    "work": _pair("workplaces"),
    "list": _listed,
    "numbered": _listed,
    "example": _example,
    "is_kind": _example,
    "is_no_kind": _example,
    "after_day": _next_of("days"),
    "before_day": _next_of("days"),
    "after_month": _next_of("months"),
    "count": _count,
    "polite": _noun,
    "sentence": _noun,
    "grammar": _place,
    "wish": _name,
    "greet": _name,
    "say_hello": _name,
    "choose": _choice,
    "news": _town,
}


class _Chores(
    RootModel[Annotated[dict[str, _Phrasings], exactly((*_MAKERS, "meaning"))]]
):
    """What `chores.yaml` holds."""


@cache
def _phrasings() -> dict[str, _Phrasings]:
    return read_phrases(_FILE, _Chores).root
