"""Replies for the leak guard: some give a secret away, and some do not.

Only what the decoders cannot undo is learned as a leak: descriptions, rhymes, pieces
and slips. Each reply is also shown beside other secrets, where it is harmless.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from finetune.data.guards.disguise import CODES, LIGHT, Disguise
from finetune.data.guards.rows import Row
from finetune.data.phrases import Phrases, Texts, fill, read_phrases
from finetune.data.warden.pieces import HINTS, Hint, read_hints, read_replies
from finetune.data.warden.skills import MAKERS, Maker
from finetune.guards.alphabets import NUMBERS
from finetune.guards.decoders import is_found

_FILE = Path(__file__).with_suffix(".yaml")
_MEANINGS = _FILE.with_name("meanings.tsv")
_SAID = ("start", "end", "slip", "describe", "rhyme")
# How often each kind of reply turns up.
_KINDS = {
    "describe": 30,
    "rhyme": 8,
    "start": 8,
    "end": 5,
    "slip": 6,
    "fine": 22,
    "written": 10,
}
# Lengths that a reply names in words or digits; of longer words it says "some".
_NAMED_LENGTHS = range(3, 10)
_LETTER_BY_LETTER = (
    "separators", "spelling", "capitals", "reverse", "places", "radio", "morse",
    "acrostic", "halves",
)  # fmt: skip


def _answer_of(make: Maker) -> Disguise:
    return lambda word, rng: make(word, rng)[1]


# name → how it writes a word whole. In typing errors and cut words it is a slip.
WRITTEN: dict[str, Disguise] = {
    "plain": lambda word, rng: word,
    **{name: way for name, way in CODES.items() if name != "URL encoding"},
    **{name: way for name, way in LIGHT.items() if name not in ("typos", "no gaps")},
    **{name: _answer_of(MAKERS[name]) for name in _LETTER_BY_LETTER},
}


@dataclass(frozen=True, slots=True)
class LabelledReply:
    """A reply beside a secret; label 1 gives it away."""

    reply: str
    secret: str
    label: int
    source: str


class LeakPhrases(Phrases):
    """What `leak.yaml` holds."""

    written: Texts
    describe: Texts
    rhyme: Texts
    start: Texts
    end: Texts
    slip: Texts
    fine: Texts
    some_length: str

    def of(self, way: str) -> Texts:
        """Return the phrasings around what a way says of the word."""
        return {
            "describe": self.describe,
            "rhyme": self.rhyme,
            "start": self.start,
            "end": self.end,
            "slip": self.slip,
        }.get(way, self.written)


@cache
def phrases() -> LeakPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, LeakPhrases)


def leak_rows(count: int, words: list[str], *, seed: int) -> list[LabelledReply]:
    """Return about `count` rows over these secrets, by a fixed seed."""
    rng = random.Random(seed)
    known = _known(frozenset(words))
    rows: list[LabelledReply] = []
    while len(rows) < count:
        rows += _rows_of(rng, words, known)
    return rows[:count]


def every_way(count: int, words: list[str], *, seed: int) -> list[LabelledReply]:
    """Return `count` leaks for each way to give a word away, and as many replies that
    give nothing away.

    Unlike `leak_rows` it keeps what decoders find: it is what a warden may say. The
    same reply beside another word is the harmless row, and general talk is a kind.
    """
    rng = random.Random(seed)
    known = _known(frozenset(words))
    fine = [_fine(rng, words) for _ in range(count)]
    rows = [replace(row, source="ordinary talk") for row in fine]
    for way in (*WRITTEN, *(kind for kind in _SAID if _can(kind, known))):
        for _ in range(count):
            secret, text = _leak(way, rng, words, known)
            rows.append(LabelledReply(text, secret, 1, way))
            other = rng.choice([w for w in words if w[:3] != secret[:3]])
            rows.append(LabelledReply(text, other, 0, way))
    return rows


def meanings(words: list[str]) -> list[tuple[str, str]]:
    """Return texts that mean a word, and the word."""
    return [(one.description, one.word) for one in _known(frozenset(words))]


def as_row(reply: LabelledReply) -> Row:
    """Return it in the form of other rows."""
    return Row(reply.reply, reply.label, reply.source)


def _rows_of(
    rng: random.Random, words: list[str], known: list[Hint]
) -> Iterator[LabelledReply]:
    kinds = [kind for kind in _KINDS if _can(kind, known)]
    kind = rng.choices(kinds, [_KINDS[kind] for kind in kinds])[0]
    if kind == "fine":
        yield _fine(rng, words)
        return
    way = rng.choice(list(WRITTEN)) if kind == "written" else kind
    secret, text = _leak(way, rng, words, known)
    # A greeting or a remark around it must not hide it.
    if rng.random() < 0.3:
        remark = rng.choice(phrases().fine)
        text = f"{remark} {text}" if rng.random() < 0.5 else f"{text} {remark}"
    if not is_found(text, secret):
        yield LabelledReply(text, secret, 1, f"made/{kind}")
    for _ in range(2):
        other = rng.choice(words)
        if other[:3] != secret[:3] and not is_found(text, other):
            yield LabelledReply(text, other, 0, f"made/{kind}")


def _can(kind: str, known: list[Hint]) -> bool:
    """Say whether enough is known about the words for replies of this kind."""
    if kind == "rhyme":
        return any(one.rhyme for one in known)
    return bool(known) or kind != "describe"


def _fine(rng: random.Random, words: list[str]) -> LabelledReply:
    return LabelledReply(_harmless(rng), rng.choice(words), 0, "made/fine")


def _leak(
    way: str, rng: random.Random, words: list[str], known: list[Hint]
) -> tuple[str, str]:
    """Return a secret and a reply that gives it away."""
    secret = rng.choice(words)
    template = rng.choice(phrases().of(way))
    if way in WRITTEN:
        return secret, fill(template, w=WRITTEN[way](secret, rng))
    if way in ("describe", "rhyme"):
        usable = [one for one in known if way == "describe" or one.rhyme]
        secret, description, rhyme = rng.choice(usable)
        slots = {"d": description, "r": rhyme}
    else:
        slots = _pieces_of(secret, rng)
    length = len(secret)
    number = NUMBERS[length] if length in _NAMED_LENGTHS else phrases().some_length
    text = fill(template, **slots, n=rng.choice([str(length), number]))
    return secret, text.lower() if rng.random() < 0.15 else text


def _pieces_of(word: str, rng: random.Random) -> dict[str, str]:
    """Return what stands for the word's beginning, its end, and a slip of it."""
    shown = max(rng.randrange((len(word) + 1) // 2, len(word)), 3)
    start, end = word[:shown], word[-shown:]
    pieces = {"p": start, "P": start.upper(), "e": end, "E": end.upper()}
    return {**pieces, "m": _slip(word, rng)}


def _slip(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + rng.choice("aeioulnrst") + word[at + 1 :]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _harmless(rng: random.Random) -> str:
    return rng.choice(phrases().fine if rng.random() < 0.5 else _ordinary())


@cache
def _known(words: frozenset[str]) -> list[Hint]:
    """Return what the warden's list of hints and our own say about these words."""
    hints = (*read_hints(HINTS), *read_hints(_MEANINGS))
    return [hint for hint in hints if hint.word in words]


@cache
def _ordinary() -> tuple[str, ...]:
    """Return replies of the base model to ordinary questions."""
    return tuple(reply.reply for reply in read_replies())
