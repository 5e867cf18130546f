"""Sums that come out right when the steps are written down.

The direct form is not learned: that it stays weak is what a lesson shows.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from finetune.data.phrases import Phrases, Texts, read_phrases
from finetune.data.scribe.cases import Case, IsRight, typed, user
from finetune.data.words import Words

_FILE = Path(__file__).with_suffix(".yaml")


class SumPhrases(Phrases):
    """What `sums.yaml` holds."""

    learned: Texts
    heldout: Texts
    tales: Texts
    less: Texts
    more: Texts
    asks: Texts


@cache
def phrases() -> SumPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, SumPhrases)


def numbers(words: Words) -> list[int]:
    """Draw the numbers of a sum."""
    rng = words.rng
    most = rng.choice((9, 20, 50, 50, 99))
    return [rng.randint(1, most) for _ in range(rng.choice((3, 4, 4, 5)))]


def steps(words: Words) -> Case:
    """A sum of several numbers, or a short tale, worked out step by step."""
    rng = words.rng
    own = phrases().heldout if words.is_heldout else phrases().learned
    template = typed(rng.choice(own), words)
    if rng.random() < 0.3:
        text, parts = _tale(words)
    else:
        parts = numbers(words)
        text = " + ".join(map(str, parts))
        listed = ", ".join(map(str, parts))
        text = rng.choice(
            (
                f"{text} = ?", text, f"What is {text}?", f"Add {text}.",
                f"What is the sum of {listed}?",
            )
        )  # fmt: skip
    lines, total = [], parts[0]
    for part in parts[1:]:
        sign = "+" if part >= 0 else "-"
        lines.append(f"{total} {sign} {abs(part)} = {total + part}")
        total += part
    answer = "\n".join([*lines, f"Answer: {total}"])
    return Case(
        "sum, step by step", user(template.replace("{sum}", text)), answer,
        ends_with_number(total),
    )  # fmt: skip


def _tale(words: Words) -> tuple[str, list[int]]:
    rng = words.rng
    a, b = rng.randint(2, 40), rng.randint(2, 40)
    parts = [a, b]
    first, drawn = words.fill(rng.choice(phrases().tales), a=str(a), b=str(b))
    texts = [first]
    for _ in range(rng.choice((1, 1, 2))):
        is_less = rng.random() < 0.5
        c = rng.randint(1, sum(parts) - 1 if is_less else 40)
        parts.append(-c if is_less else c)
        more = rng.choice(phrases().less if is_less else phrases().more)
        texts.append(words.fill(more, **{**drawn, "c": str(c)})[0])
    return " ".join([*texts, rng.choice(phrases().asks)]), parts


def ends_with_number(total: int) -> IsRight:
    """A hit ends with the right number."""

    def check(reply: str) -> bool:
        found = re.findall(r"-?\d+", reply.replace(",", ""))
        return bool(found) and int(found[-1]) == total

    return check
