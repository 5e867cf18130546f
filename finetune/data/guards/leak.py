"""Replies for the leak guard: some give a secret away, and some do not.

Only what the decoders cannot undo is learned as a leak: descriptions, rhymes, pieces
and slips. Each reply is also shown beside other secrets, where it is harmless.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from finetune.data.guards.disguise import CODES, LIGHT, Disguise
from finetune.data.guards.rows import Row
from finetune.data.warden.skills import SKILLS, Skill
from finetune.guards.decoders import is_found

_FOLDER = Path(__file__).parent
_WARDEN = _FOLDER.parent / "warden"
_SAID = ("start", "end", "slip", "describe", "rhyme")
_LETTER_BY_LETTER = frozenset(
    {"separators", "spelling", "capitals", "reverse", "places", "radio", "morse",
     "acrostic", "halves"}
)  # fmt: skip


def _answer_of(skill: Skill) -> Disguise:
    return lambda word, dice: skill.make(word, dice)[1]


# name → how it writes a word whole. In typing errors and cut words it is a slip.
WRITTEN: dict[str, Disguise] = {
    "plain": lambda word, dice: word,
    **{name: way for name, way in CODES.items() if name != "URL encoding"},
    **{name: way for name, way in LIGHT.items() if name not in ("typos", "no gaps")},
    **{s.name: _answer_of(s) for s in SKILLS if s.name in _LETTER_BY_LETTER},
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply beside a secret; label 1 gives it away."""

    reply: str
    secret: str
    label: int
    source: str


class Known(NamedTuple):
    """What is known about a word: a description, and a rhyme or nothing."""

    word: str
    description: str
    rhyme: str


def leak_rows(count: int, words: list[str], *, seed: int) -> list[Reply]:
    """Return about `count` rows over these secrets, by a fixed seed."""
    dice = random.Random(seed)
    known = _known(frozenset(words))
    rows: list[Reply] = []
    while len(rows) < count:
        rows += _rows_of(dice, words, known)
    return rows[:count]


def every_way(count: int, words: list[str], *, seed: int) -> list[Reply]:
    """Return `count` leaks for each way to give a word away, and as many no leaks.

    Unlike `leak_rows` it keeps what decoders find: it is what a warden may say. The
    same reply beside another word is the harmless row, and general talk is a kind.
    """
    dice = random.Random(seed)
    known = _known(frozenset(words))
    fine = [_fine(dice, words) for _ in range(count)]
    rows = [replace(row, source="ordinary talk") for row in fine]
    for way in (*WRITTEN, *(kind for kind in _SAID if _can(kind, known))):
        for _ in range(count):
            secret, text = _leak(way, dice, words, known)
            rows.append(Reply(text, secret, 1, way))
            other = dice.choice([w for w in words if w[:3] != secret[:3]])
            rows.append(Reply(text, other, 0, way))
    return rows


def meanings(words: list[str]) -> list[tuple[str, str]]:
    """Return texts that mean a word, and the word."""
    return [(one.description, one.word) for one in _known(frozenset(words))]


def as_row(reply: Reply) -> Row:
    """Return it as other rows are."""
    return Row(reply.reply, reply.label, reply.source)


def _rows_of(
    dice: random.Random, words: list[str], known: list[Known]
) -> Iterator[Reply]:
    weights = {
        "describe": 30,
        "rhyme": 8,
        "start": 8,
        "end": 5,
        "slip": 6,
        "fine": 22,
        "written": 10,
    }
    kinds = [kind for kind in weights if _can(kind, known)]
    kind = dice.choices(kinds, [weights[kind] for kind in kinds])[0]
    if kind == "fine":
        yield _fine(dice, words)
        return
    way = dice.choice(list(WRITTEN)) if kind == "written" else kind
    secret, text = _leak(way, dice, words, known)
    # A greeting or a remark around it must not hide it.
    if dice.random() < 0.3:
        remark = dice.choice(_pieces()["fine"])
        text = f"{remark} {text}" if dice.random() < 0.5 else f"{text} {remark}"
    if not is_found(text, secret):
        yield Reply(text, secret, 1, f"made/{kind}")
    for _ in range(2):
        other = dice.choice(words)
        if other[:3] != secret[:3] and not is_found(text, other):
            yield Reply(text, other, 0, f"made/{kind}")


def _can(kind: str, known: list[Known]) -> bool:
    """Say whether enough is known about the words for replies of this kind."""
    if kind == "rhyme":
        return any(one.rhyme for one in known)
    return bool(known) or kind != "describe"


def _fine(dice: random.Random, words: list[str]) -> Reply:
    return Reply(_harmless(dice), dice.choice(words), 0, "made/fine")


def _leak(
    way: str, dice: random.Random, words: list[str], known: list[Known]
) -> tuple[str, str]:
    """Return a secret and a reply that gives it away."""
    pieces = _pieces()
    secret = dice.choice(words)
    if way in WRITTEN:
        template = str(dice.choice(pieces["written"]))
        return secret, template.replace("{w}", WRITTEN[way](secret, dice))
    template = str(dice.choice(pieces[way]))
    if way in ("describe", "rhyme"):
        usable = [one for one in known if way == "describe" or one.rhyme]
        secret, description, rhyme = dice.choice(usable)
        slots = {"{d}": description, "{r}": rhyme}
    else:
        shown = dice.randrange((len(secret) + 1) // 2, len(secret))
        shown = max(shown, 3)
        start, end = secret[:shown], secret[-shown:]
        slots = {"{p}": start, "{P}": start.upper(), "{e}": end, "{E}": end.upper()}
        slots["{m}"] = _slip(secret, dice)
    slots["{n}"] = dice.choice([str(len(secret)), _NUMBERS.get(len(secret), "some")])
    for slot, value in slots.items():
        template = template.replace(slot, value)
    return secret, template.lower() if dice.random() < 0.15 else template


_NUMBERS = dict(
    enumerate(("three", "four", "five", "six", "seven", "eight", "nine"), 3)
)


def _slip(word: str, dice: random.Random) -> str:
    place = dice.randrange(1, len(word) - 1)
    kind = dice.randrange(3)
    if kind == 0:
        return word[:place] + word[place + 1 :]
    if kind == 1:
        return word[:place] + dice.choice("aeioulnrst") + word[place + 1 :]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _harmless(dice: random.Random) -> str:
    if dice.random() < 0.5:
        return str(dice.choice(_pieces()["fine"]))
    return dice.choice(_ordinary())


@cache
def _pieces() -> dict[str, Any]:
    with (_FOLDER / "leak.yaml").open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, yaml.CSafeLoader)
    return loaded


@cache
def _known(words: frozenset[str]) -> list[Known]:
    """Return what the warden's list of hints and our own say about these words."""
    paths = (_WARDEN / "hints.tsv", _FOLDER / "meanings.tsv")
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    split = (line.split("\t") for line in lines if line and line[0] != "#")
    found = [Known(w, d, r) for w, d, *rest in split for r in [rest[0] if rest else ""]]
    return [one for one in found if one.word in words]


@cache
def _ordinary() -> list[str]:
    """Return replies of the base model to ordinary questions."""
    lines = (_WARDEN / "replies.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["reply"] for line in lines]
