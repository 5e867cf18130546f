"""What the figures of a report mean, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from finetune.data.texts.duplicates import Near
from finetune.data.texts.languages import Languages, in_words

_LEAST_HELD_OUT = 20  # texts
_LEAST_TOKENS = 500  # of the validation part
_LITTLE = 5_000  # tokens to learn from; less is soon learned by heart
_LONG = 2_000  # tokens
_MUCH = 0.05  # share of rows that is worth a word
_SECOND_SCRIPT = 0.05  # share of letters
_SECOND_LANGUAGE = 0.05  # share of rows


class Verdict(NamedTuple):
    """One sentence, and how much it matters."""

    level: Literal["good", "warning", "error"]
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What verdicts are made of: rows, texts of each part, and tokens."""

    rows: int
    empty: int
    exact: int
    near: Near
    repaired: int
    is_one_text: bool
    held_out: int
    held_out_tokens: int
    tokens_per_epoch: int
    longest: int
    long: int
    scripts: Mapping[str, float]
    languages: Languages
    budget: int | None


def judge(facts: Facts) -> list[Verdict]:
    """Return what a person should know, warnings first."""
    found = [*_judging(facts), *_learning(facts), *_cleaning(facts), *_alike(facts)]
    found.sort(key=lambda verdict: verdict.level == "good")
    return found or [Verdict("good", "Nothing looks wrong with this data.")]


def is_long(tokens: int) -> bool:
    """Say whether a text is much longer than a model reads at a time."""
    return tokens > _LONG


def _judging(facts: Facts) -> Iterator[Verdict]:
    if facts.is_one_text:
        yield Verdict(
            "good",
            "It is one long text: the model learns from its beginning and is judged"
            " by its end.",
        )
    few = not facts.is_one_text and facts.held_out < _LEAST_HELD_OUT
    if few or facts.held_out_tokens < _LEAST_TOKENS:
        yield Verdict(
            "warning",
            f"This is too little to judge by: {_count(facts.held_out, 'text')} with"
            f" {_count(facts.held_out_tokens, 'token')} held out. The figures after"
            " training may differ a lot by luck.",
        )


def _learning(facts: Facts) -> Iterator[Verdict]:
    tokens = facts.tokens_per_epoch
    if tokens < _LITTLE:
        yield Verdict(
            "warning",
            f"There are only {_count(tokens, 'token')} to learn from. The model will"
            " soon know them by heart: more text helps more than more epochs.",
        )
    if facts.budget is not None and tokens > facts.budget:
        share = max(1, round(100 * facts.budget / tokens))
        yield Verdict(
            "good",
            f"In the time that you give it, the model sees about {share} % of the"
            " texts once. Give it longer, or fewer texts to learn well.",
        )
    if facts.long and not facts.is_one_text:
        yield Verdict(
            "warning" if facts.long > _MUCH * facts.rows else "good",
            f"{_rows(facts.long, 'is', 'are')} very long, up to"
            f" {facts.longest:,} tokens. Long rows are learned in pieces, and a piece"
            " does not know what stood before it.",
        )


def _cleaning(facts: Facts) -> Iterator[Verdict]:
    if facts.empty:
        yield Verdict(
            "warning" if facts.empty > _MUCH * facts.rows else "good",
            f"{_rows(facts.empty, 'is', 'are')} empty and left out.",
        )
    if facts.repaired:
        yield Verdict(
            "good",
            f"{_rows(facts.repaired, 'had', 'had')} broken characters, from a wrong"
            " encoding, and could be read after a repair. Look at the preview.",
        )
    second = [
        script for script, share in facts.scripts.items() if share >= _SECOND_SCRIPT
    ]
    several = [s for s in facts.languages.shares.values() if s >= _SECOND_LANGUAGE]
    if len(several) > 1:
        yield Verdict(
            "good",
            f"The rows are in several languages: {in_words(facts.languages)}. A small"
            " model learns one language better than many.",
        )
    elif len(second) > 1:
        yield Verdict(
            "good",
            f"The text is in several scripts: {', '.join(second)}. A small model"
            " learns one language better than many.",
        )


def _alike(facts: Facts) -> Iterator[Verdict]:
    if facts.exact:
        yield Verdict(
            "warning" if facts.exact > _MUCH * facts.rows else "good",
            f"{_rows(facts.exact, 'repeats', 'repeat')} another word for word. They"
            " stay in one part, so that the model is not judged by what it learned.",
        )
    if facts.near.repeats:
        share = facts.near.repeats / max(1, facts.near.compared)
        of = f" of {facts.near.compared:,} compared"
        yield Verdict(
            "warning" if share > _MUCH else "good",
            f"{_rows(facts.near.repeats, 'is', 'are', of)} almost the same as another."
            " Where such rows are on both sides, the model looks better than it is.",
        )


def _rows(count: int, one: str, many: str, of: str = "") -> str:
    """Say how many rows there are, with a verb that fits."""
    return f"{_count(count, 'row')}{of} {one if count == 1 else many}"


def _count(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
