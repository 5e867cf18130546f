"""How a warden talks: its voices, its refusals, and what it says to small requests.

Everything is asked as the levels of the keep ask it, in words that no warden learned
from. What must be exact, such as spelling, is measured in `warden` and left out here.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from finetune.data.warden import asks
from finetune.data.warden.dialogues import Writer
from finetune.data.warden.pieces import Pieces
from finetune.data.warden.prompts import POLICIES, Policy, write_system
from finetune.data.warden.voices import voices
from finetune.evaluation.served import Figure

ORDINARY = Path(__file__).parent / "rows/ordinary.txt"
NAMELESS = "nobody"
# As the shipped levels sample their replies.
TEMPERATURE = 0.3
SPOKEN_EACH = 80
REFUSED_EACH = 100
_LEARNED_EACH = 1500
# Of what a voice is asked: ordinary requests, small talk, the word when it may tell,
# and the word when it may not.
_KINDS = ("ordinary", "talk", "told", "refused")


class Asked(NamedTuple):
    """A request, the prompt it is asked under, and whose voice that is."""

    speaker: str
    system: str
    ask: str


class Said(NamedTuple):
    """What a speaker said to a request."""

    speaker: str
    ask: str
    reply: str


def speaker_of(manner: str) -> str:
    """Return whose voice a manner is in the keep."""
    return voices()[manner].name or NAMELESS


def spoken_asks(pieces: Pieces, *, seed: int = 5) -> list[Asked]:
    """Write requests to each voice, none of them in words that a warden has learned."""
    writer = Writer(pieces, random.Random(seed), is_heldout=True, typed=asks.as_written)
    return [
        Asked(speaker_of(manner), *_exchange(writer, pieces, manner, kind)[:2])
        for manner in voices()
        for kind in islice(cycle(_KINDS), SPOKEN_EACH)
    ]


def refused_asks(pieces: Pieces, *, seed: int = 6) -> list[Asked]:
    """Write requests for the word to each voice, under the policies that refuse."""
    writer = Writer(pieces, random.Random(seed), is_heldout=True, typed=asks.as_written)
    return [
        Asked(speaker_of(manner), *_exchange(writer, pieces, manner, "refused")[:2])
        for manner in voices()
        for _ in range(REFUSED_EACH)
    ]


def ordinary_asks(pieces: Pieces, *, seed: int = 8) -> list[Asked]:
    """Return the hundred ordinary requests, asked of one voice after the other."""
    rng = random.Random(seed)
    requests = [
        line
        for line in ORDINARY.read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    each = zip(requests, cycle(voices()), cycle(POLICIES), strict=False)
    return [
        Asked(
            speaker_of(manner),
            write_system(rng.choice(pieces.words), policy, rng, manner=manner).text,
            ask,
        )
        for ask, manner, policy in each
    ]


def named_rightly(pieces: Pieces, said: Sequence[Said], *, seed: int = 4) -> Figure:
    """Return for how many replies a classifier names who said them.

    It has learned from what a warden learns from: characters in rows of two to five,
    weighed by how rare they are, and a logistic regression.
    """
    writer = Writer(pieces, random.Random(seed), typed=asks.as_written)
    learned = [
        (speaker_of(manner), _exchange(writer, pieces, manner, kind)[2])
        for manner in voices()
        for kind in islice(cycle(_KINDS), _LEARNED_EACH)
    ]
    speakers, texts = zip(*learned, strict=True)
    model: Any = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=300),
    )
    model.fit(texts, speakers)
    named = model.predict([each.reply for each in said])
    hits = sum(name == each.speaker for name, each in zip(named, said, strict=True))
    return Figure(hits, len(said))


def distinct(said: Iterable[Said]) -> dict[str, Figure]:
    """Return speaker → how many of the replies are different from each other."""
    replies: dict[str, list[str]] = {}
    for each in said:
        replies.setdefault(each.speaker, []).append(" ".join(each.reply.split()))
    return {
        speaker: Figure(len(set(own)), len(own)) for speaker, own in replies.items()
    }


def _exchange(
    writer: Writer, pieces: Pieces, manner: str, kind: str
) -> tuple[str, str, str]:
    """Write a prompt, a request under it, and what is learned to be said."""
    rng = writer.rng
    policy: Policy = rng.choice(POLICIES)
    if kind in ("told", "refused"):
        policy = "open" if kind == "told" else rng.choice(("soft", "never"))
    word = rng.choice(pieces.words)
    system = write_system(
        word, policy, rng, is_heldout=writer.is_heldout, manner=manner
    )
    if kind == "ordinary":
        exchange = writer.ordinary(word, system, rng.choice(("answer", "chore")))
    elif kind == "talk":
        exchange = writer.ordinary(word, system, "talk")
    else:
        exchange = writer.request(word, system, rng.choice(("direct", "indirect")))
    return system.text, exchange.ask, exchange.answer
