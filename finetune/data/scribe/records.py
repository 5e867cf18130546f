"""Facts of a text in a form that a program can read: JSON, XML, forms, tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from finetune.data.phrases import Phrases, Split, Texts, read_phrases
from finetune.data.scribe.cases import Case, IsRight, asked, placed, typed, user
from finetune.data.words import Words

_FILE = Path(__file__).with_suffix(".yaml")
_NUMBERS = ("age", "price", "year", "number", "table")
_MADE_KEYS = 0.2


class Kind(Phrases):
    """A kind of record: keys by field, and texts that tell of it."""

    fields: dict[str, Texts]
    texts: Texts


class RecordPhrases(Phrases):
    """What `records.yaml` holds."""

    records: dict[str, Kind]
    json_: Split
    xml: Split
    form: Split
    table: Split


@cache
def phrases() -> RecordPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, RecordPhrases)


class Told(NamedTuple):
    """A text, and the key and value of each fact that is asked for."""

    text: str
    facts: tuple[tuple[str, str], ...]
    numbers: frozenset[str]

    def names(self) -> list[str]:
        """Return the keys in the order they are asked for."""
        return [key for key, _ in self.facts]


def draw_told(words: Words, most: int = 4) -> Told:
    """Draw a text and what is asked of it."""
    rng = words.rng
    kinds = phrases().records
    kind = kinds[rng.choices(list(kinds), (9, 4, 3, 3, 2, 3))[0]]
    text, drawn = words.fill(rng.choice(words.side(kind.texts)))
    there = [field for field in kind.fields if field in drawn]
    count = min(len(there), most, rng.choice((1, 2, 2, 3, 3, 4)))
    asked_for = sorted(rng.sample(there, count), key=list(drawn).index)
    if rng.random() < 0.25:
        rng.shuffle(asked_for)
    facts: list[tuple[str, str]] = []
    numbers = set()
    for field in asked_for:
        key = rng.choice(
            kind.fields[field][:4] if rng.random() < 0.6 else kind.fields[field]
        )
        facts.append((key, drawn[field]))
        if field in _NUMBERS:
            numbers.add(key)
    if len({key for key, _ in facts}) < len(facts):
        return draw_told(words, most)
    return Told(text, tuple(facts), frozenset(numbers))


def named_keys(told: Told, words: Words) -> str:
    """Write the keys as people list them."""
    rng = words.rng
    keys = told.names()
    if rng.random() < 0.25:
        keys = [f'"{key}"' for key in keys]
    if len(keys) == 1:
        return keys[0]
    if rng.random() < 0.65:
        return f"{', '.join(keys[:-1])} and {keys[-1]}"
    return ", ".join(keys)


def renamed(told: Told, words: Words) -> tuple[Told, str]:
    """Give the facts made-up keys; return with the list that explains them."""
    keys = [words.made_up(2) for _ in told.facts]
    if len(set(keys)) < len(keys):
        return renamed(told, words)
    facts = tuple(
        (key, value) for key, (_, value) in zip(keys, told.facts, strict=True)
    )
    numbers = frozenset(
        new for new, (old, _) in zip(keys, told.facts, strict=True)
        if old in told.numbers
    )  # fmt: skip
    listed = [
        f"{new} (the {old.replace('_', ' ')})"
        for new, (old, _) in zip(keys, told.facts, strict=True)
    ]
    text = f"{', '.join(listed[:-1])} and {listed[-1]}" if listed[1:] else listed[0]
    return Told(told.text, facts, numbers), text


def _value(key: str, value: str, told: Told) -> str | int:
    return int(value) if key in told.numbers and value.isdigit() else value


def as_json(words: Words) -> Case:
    """JSON with the keys of the prompt, at times after an example."""
    rng = words.rng
    told = draw_told(words)
    keys = named_keys(told, words)
    if rng.random() < _MADE_KEYS:
        told, keys = renamed(told, words)
    facts = {key: _value(key, value, told) for key, value in told.facts}
    answer = json.dumps(facts, ensure_ascii=False)
    blank = json.dumps(dict.fromkeys(facts, ""), ensure_ascii=False)
    if rng.random() < 0.3:
        blank = blank.replace('""', '"..."')
    if "(the " in keys:
        blank = keys
    template = typed(phrases().json_.choose(rng, is_heldout=words.is_heldout), words)
    instruction = template.replace("{keys}", keys).replace("{blank}", blank)
    turns = placed(instruction, told.text, words)
    return Case("JSON", turns, answer, is_object(facts))


def is_object(facts: dict[str, str | int]) -> IsRight:
    """A hit is a JSON object with these facts, whether numbers are quoted or not."""

    def check(reply: str) -> bool:
        text = re.sub(r"^```(?:json)?\s*|\s*```$", "", reply.strip())
        try:
            found = json.loads(text)
        except ValueError:
            return False
        if not isinstance(found, dict) or set(found) != set(facts):
            return False
        return all(
            str(found[key]).casefold().strip(". ") == str(value).casefold()
            for key, value in facts.items()
        )

    return check


def as_xml(words: Words) -> Case:
    """XML with the tags of the prompt."""
    rng = words.rng
    told = draw_told(words, 3)
    outer = rng.choice(("person", "data", "entry", "record", words.made_up(2)))
    has_outer = rng.random() < 0.35
    inner = [f"<{key}>{value}</{key}>" for key, value in told.facts]
    blank = "".join(f"<{key}></{key}>" for key in told.names())
    answer = "".join(inner)
    keys = named_keys(told, words)
    if has_outer:
        blank, answer = f"<{outer}>{blank}</{outer}>", f"<{outer}>{answer}</{outer}>"
        keys += f" inside {outer}"
    template = typed(phrases().xml.choose(rng, is_heldout=words.is_heldout), words)
    instruction = template.replace("{keys}", keys).replace("{blank}", blank)
    wanted = _without_spaces(answer)
    return Case(
        "XML",
        placed(instruction, told.text, words),
        answer,
        lambda reply: _without_spaces(reply) == wanted,
    )


def _without_spaces(text: str) -> str:
    return re.sub(r"\s+|^```(?:xml)?|```$", "", text.strip()).casefold()


def as_form(words: Words) -> Case:
    """Fill in a form, one line for each fact."""
    rng = words.rng
    told = draw_told(words)
    heads = told.names()
    if rng.random() < 0.7:
        heads = [head.replace("_", " ").capitalize() for head in heads]
    gap = rng.choice(("", "", " ___", " ..."))
    blank = "\n".join(f"{head}:{gap}" for head in heads)
    lines = [
        f"{head}: {value}" for head, (_, value) in zip(heads, told.facts, strict=True)
    ]
    template = typed(phrases().form.choose(rng, is_heldout=words.is_heldout), words)
    instruction = template.replace("{blank}", blank)
    instruction = instruction.replace("{keys}", ", ".join(heads))
    wanted = [_flat(line) for line in lines]
    turns = user(
        f"{instruction}\n\n{rng.choice(('Text: ', '', ''))}{told.text}"
        if rng.random() < 0.6
        else f"{told.text}\n\n{instruction}"
    )
    if rng.random() < 0.25:
        turns = asked(told.text, instruction)
    return Case(
        "form",
        turns,
        "\n".join(lines),
        lambda reply: [_flat(x) for x in reply.strip().splitlines() if x] == wanted,
    )


def _flat(line: str) -> str:
    return re.sub(r"[\s.*]+", " ", line).strip().casefold()


_ROWS: tuple[tuple[str, str, str, str], ...] = (
    # slots of the two columns, the heads, and how a row is told
    ("name", "age", "Name, Age", "{a} is {b}"),
    ("name", "town", "Name, Town", "{a} lives in {b}"),
    ("name", "hobby", "Name, Hobby", "{a} likes {b}"),
    ("noun", "price", "Thing, Price", "the {a} costs {b}"),
    ("noun", "colour", "Thing, Colour", "the {a} is {b}"),
    ("name", "food", "Guest, Dish", "{a} eats {b}"),
    ("town", "number", "Town, Degrees", "in {a} it is {b}"),
    ("name", "job", "Name, Job", "{a} is a {b}"),
    ("name", "pet", "Name, Pet", "{a} has a {b}"),
)  # fmt: skip


def as_table(words: Words) -> Case:
    """A table of facts that the prompt tells."""
    rng = words.rng
    left, right, heads, row = rng.choice(_ROWS)
    cells: list[tuple[str, str]] = []
    for _ in range(rng.choice((2, 2, 3, 3, 4))):
        text = f"{{{left}}}|{{{right}}}"
        a, _, b = words.fill(text)[0].partition("|")
        cells.append((a, b))
    if rng.random() < 0.4:
        row = "{a} {b}"
    told = ", ".join(row.format(a=a, b=b) for a, b in cells)
    if row.startswith(("the", "in")) and rng.random() < 0.5:
        told = f"{told[0].upper()}{told[1:]}."
    first, second = heads.split(", ")
    if rng.random() < 0.3:
        first, second = first.lower(), second.lower()
    lines = [f"| {first} | {second} |", "| --- | --- |"]
    lines += [f"| {a} | {b} |" for a, b in cells]
    template = typed(phrases().table.choose(rng, is_heldout=words.is_heldout), words)
    joint = rng.choice((" and ", ", ", " and "))
    instruction = template.replace("{keys}", f"{first}{joint}{second}")
    wanted = [_cells(line) for line in (lines[0], *lines[2:])]

    def check(reply: str) -> bool:
        found = [_cells(x) for x in reply.strip().splitlines() if "|" in x]
        return [x for x in found if not set("".join(x)) <= set("-: ")] == wanted

    return Case("table", placed(instruction, told, words), "\n".join(lines), check)


def _cells(line: str) -> list[str]:
    return [cell.strip().casefold() for cell in line.strip().strip("|").split("|")]


FAMILIES: tuple[Callable[[Words], Case], ...] = (as_json, as_xml, as_form, as_table)
