"""Prompts that leave out what matters, and what the base model says to them.

Learned as they are, they stay vague: nothing but a good prompt gets a good answer.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from finetune.data.phrases import Phrases, PiecesError, Texts, read_phrases
from finetune.data.scribe.labels import review
from finetune.data.words import Words
from finetune.weights.files import write_text

_FILE = Path(__file__).with_suffix(".yaml")
REPLIES = Path(__file__).parent / "replies.jsonl"
# Most are asked as they are; some under a system prompt that says nothing.
SYSTEMS = ("", "", "", "You are a helpful assistant.", "Answer briefly.")
_LOWER = 0.2
_MOST_REPEATED = 2  # runs of three words that come twice
_FEWEST_DIFFERENT = 0.5  # share of different words in a long reply
_LONG = 12


class NaiveReply(NamedTuple):
    """A vague prompt, what the base model says to it, and the system prompt or none."""

    ask: str
    reply: str
    system: str


class NaivePhrases(Phrases):
    """What `naive.yaml` holds."""

    prompts: dict[str, Texts]


@cache
def phrases() -> NaivePhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, NaivePhrases)


def write_asks(nouns: Sequence[str], rounds: int, seed: int) -> list[str]:
    """Write vague prompts: each phrasing as often as there are rounds, none twice."""
    rng = random.Random(seed)
    words = Words(rng, nouns, is_heldout=False)
    asks: dict[str, None] = {}
    for _ in range(rounds):
        for templates in phrases().prompts.values():
            for template in templates:
                text, _drawn = words.fill(
                    template,
                    review=review(words, is_good=rng.random() < 0.5),
                    adjective=words.pair("opposites")[0],
                    verb=words.pair("pasts")[0],
                )
                asks[text.lower() if rng.random() < _LOWER else text] = None
    return list(asks)


def is_usable(reply: str) -> bool:
    """Say whether a reply came to an end and does not go round in circles."""
    words = re.findall(r"\w+", reply.casefold())
    if not words or reply.strip()[-1] not in ".!?\"')`":
        return False
    if len(words) > _LONG and len(set(words)) < _FEWEST_DIFFERENT * len(words):
        return False
    runs = list(zip(words, words[1:], words[2:], strict=False))
    return len(runs) - len(set(runs)) <= _MOST_REPEATED


def read_replies() -> tuple[NaiveReply, ...]:
    """Read what the base model said; raise PiecesError if a row is broken."""
    replies: list[NaiveReply] = []
    for number, line in enumerate(REPLIES.read_text("utf-8").splitlines(), 1):
        try:
            row: dict[str, Any] = json.loads(line)
            replies.append(NaiveReply(row["ask"], row["reply"], row.get("system", "")))
        except (ValueError, KeyError, TypeError) as error:
            raise PiecesError(
                f'{REPLIES}:{number}: a row is {{"ask", "reply"}}, and "system" at'
                " times."
            ) from error
    return tuple(replies)


def write_replies(replies: Iterable[NaiveReply]) -> None:
    """Write the replies, one a line."""
    lines = []
    for reply in replies:
        row = {"ask": reply.ask, "reply": reply.reply}
        if reply.system:
            row["system"] = reply.system
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    write_text(REPLIES, "".join(lines))
