"""Paragraphs that look like Latin."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from finetune.data.shipped.grammar import Grammar, sentences


@cache
def _rules() -> Grammar:
    return Grammar(Path(__file__).with_suffix(".yaml"))


def write(rng: random.Random) -> dict[str, str]:
    """Write a paragraph."""
    return {"text": sentences(_rules().write("text", rng))}
