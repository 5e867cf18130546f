"""The sets that come with Wordkeep, and how their rows are written to a file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from finetune.data.shipped import (
    instructions,
    lorem,
    moderation,
    questions,
    recipes,
    reviews,
    sql,
)
from finetune.data.texts.errors import DataError
from finetune.data.texts.rendering import ALPACA_NAME
from finetune.weights.files import write_text

_LICENCE: Final = "CC0 1.0; made by code in finetune/data/shipped"
# So often in a row may a row come again before a generator counts as used up.
_MOST_REPEATS: Final = 10_000

Write = Callable[[random.Random], dict[str, str]]


class ShippedSet(NamedTuple):
    """What a set is, how its rows are best written, and how many there are."""

    name: str
    title: str
    about: str
    licence: str
    columns: tuple[str, ...]
    text: str
    answer: str | None
    is_chat: bool
    rows: int


class _Made(NamedTuple):
    set: ShippedSet
    write: Write


def _made(
    write: Write,
    name: str,
    title: str,
    about: str,
    columns: tuple[str, ...],
    text: str,
    answer: str | None,
    rows: int,
) -> _Made:
    return _Made(
        ShippedSet(name, title, about, _LICENCE, columns, text, answer, False, rows),
        write,
    )


_ALL: Final = (
    _made(
        recipes.write,
        "recipes",
        "Recipes",
        "Simple dishes with ingredients and steps. The model learns how a recipe looks,"
        " and soon writes new ones.",
        ("name", "ingredients", "steps"),
        "Recipe: {name}\nIngredients:\n{ingredients}\nSteps:\n{steps}",
        None,
        1_500,
    ),
    _made(
        reviews.write,
        "reviews",
        "Product reviews",
        "What people say of things they bought, with one to five stars. Ask for five"
        " stars, and the model is delighted.",
        ("product", "stars", "text"),
        "Product: {product}\nStars: {stars}\nReview: {text}",
        None,
        2_000,
    ),
    _made(
        lorem.write,
        "lorem",
        "Lorem ipsum",
        "Paragraphs that look like Latin and mean nothing. Nobody can learn more from"
        " them than spelling, so you see what is learned first.",
        ("text",),
        "{text}",
        None,
        800,
    ),
    _made(
        questions.write,
        "questions",
        "Questions and answers",
        "Short questions on animals, numbers, days and words, with short answers. Only"
        " the answers are learned.",
        ("question", "answer"),
        "Question: {question}\nAnswer:",
        " {answer}",
        1_500,
    ),
    _made(
        instructions.write,
        "instructions",
        "Instructions",
        "Small tasks with words and lists, some with an input to work on, written as in"
        " Alpaca. The model learns to do as it is told.",
        ("instruction", "input", "output"),
        ALPACA_NAME,
        "{output}",
        2_000,
    ),
    _made(
        sql.write,
        "sql",
        "Questions to SQL",
        "A table, a question about it in English, and the query that answers it.",
        ("schema", "question", "sql"),
        "{schema}\n-- {question}\n",
        "{sql}",
        2_000,
    ),
    _made(
        moderation.write,
        "moderation",
        "On topic or not",
        "Messages to the helper of a school library, each marked: about the library, or"
        " about something else. Train a guard that keeps it on topic.",
        ("text", "label"),
        "Message: {text}\nLabel:",
        " {label}",
        1_200,
    ),
)
_BY_NAME: Final = MappingProxyType({made.set.name: made for made in _ALL})
SETS: Final = MappingProxyType({name: made.set for name, made in _BY_NAME.items()})


def write_set(name: str, path: Path) -> None:
    """Write the rows of a set, one JSON object a line; the same each time.

    Raises DataError if there is no such set, OSError if the file cannot be written.
    """
    if name not in _BY_NAME:
        raise DataError(f"There is no set {name}: known are {', '.join(_BY_NAME)}.")
    lines = (json.dumps(row, ensure_ascii=False) for row in rows_of(name))
    write_text(path, "".join(f"{line}\n" for line in lines))


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a set; no two are the same."""
    made = _BY_NAME[name]
    rng = random.Random(name)
    seen: set[tuple[str, ...]] = set()
    repeats = 0
    while len(seen) < made.set.rows:
        row = made.write(rng)
        values = tuple(row[column] for column in made.set.columns)
        if values in seen:
            repeats += 1
            if repeats > _MOST_REPEATS:
                raise DataError(
                    f"The set {name} has only {len(seen)} different rows, not"
                    f" {made.set.rows}: add phrasings to finetune/data/shipped."
                )
            continue
        seen.add(values)
        repeats = 0
        yield dict(zip(made.set.columns, values, strict=True))
