"""A table, a question about it, and the query that answers it."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from finetune.data.phrases import Phrases, Texts, fill, read_phrases

_FILE = Path(__file__).with_suffix(".yaml")


class Columns(Phrases):
    """The columns of a table: texts with values, numbers with the least and most."""

    texts: dict[str, Texts]
    numbers: dict[str, tuple[int, int]]


class Words(Phrases):
    """What `sql.yaml` holds: tables, and how to ask for what each query returns."""

    tables: dict[str, Columns]
    asks: dict[str, Texts]
    queries: dict[str, str]


@cache
def words() -> Words:
    """Read the file once; raise PiecesError if it is wrong."""
    return read_phrases(_FILE, Words)


def write(rng: random.Random) -> dict[str, str]:
    """Write a row; the schema names some of the columns, in any order."""
    table = rng.choice(list(words().tables))
    columns = words().tables[table]
    kind = rng.choice(list(words().queries))
    text = rng.choice(list(columns.texts))
    number = rng.choice(list(columns.numbers))
    slots = {
        "table": table,
        "text": text,
        "value": rng.choice(columns.texts[text]),
        "number": number,
        "n": str(rng.randint(*columns.numbers[number])),
        "k": str(rng.randint(2, 9)),
    }
    return {
        "schema": _schema(table, columns, {text, number}, rng),
        "question": fill(rng.choice(words().asks[kind]), **slots),
        "sql": fill(words().queries[kind], **slots),
    }


def _schema(table: str, columns: Columns, used: set[str], rng: random.Random) -> str:
    named = [f"{name} TEXT" for name in columns.texts]
    named += [f"{name} INTEGER" for name in columns.numbers]
    kept = [
        column
        for column in named
        if column.partition(" ")[0] in used or rng.random() < 0.7
    ]
    rng.shuffle(kept)
    return f"CREATE TABLE {table} ({', '.join(kept)});"
