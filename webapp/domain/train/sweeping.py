"""Three runs that differ in one value: which values, and what was seen in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from webapp.domain.train.choices import (
    TITLE_CHARS,
    Choices,
    check_number,
    clean_title,
    plain,
)
from webapp.errors import InvalidInput

What = Literal["learning_rate", "share", "length"]

RUNS: Final = 3
# What may vary, as pages call it.
WHATS: Final[Mapping[What, str]] = {
    "learning_rate": "Learning rate",
    "share": "Share of the data",
    "length": "How long it learns",
}
GUESSES: Final = ("the smallest", "the one in the middle", "the largest")
SHARES: Final = (0.1, 0.3, 1.0)
LEAST_ROWS: Final = 3
# The value that the others are compared with: what was chosen, or all of the data.
_USUAL: Final[Mapping[What, int]] = {"learning_rate": 1, "share": 2, "length": 1}
_STEPS: Final = {"minutes": "minute", "epochs": "epoch", "updates": "step"}
# Perplexities as near as this are the same: another seed changes them by as much.
_NEAR: Final = 0.01


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the three: its choices, its value in words, and its rows if they vary.

    `tail` is what its name ends with.
    """

    choices: Choices
    label: str
    tail: str
    most_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands in its sweep: `first` is the sweep's id, `place` from 0.

    `guess` is the place that the learner said would win.
    """

    first: int
    what: What
    place: int
    label: str
    guess: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which places were best, as near as can be told, and what was seen."""

    winners: tuple[int, ...]
    sentences: tuple[str, ...]


def read_what(text: str) -> What:
    """Return what varies; raise InvalidInput."""
    for what in WHATS:
        if text == what:
            return what
    raise InvalidInput("Choose which value the three runs differ in.")


def read_guess(text: str) -> int:
    """Return which of the three is said to win, from 0; raise InvalidInput."""
    if text not in {"0", "1", "2"}:
        raise InvalidInput("Say first which of the three will win. A guess is enough.")
    return int(text)


def variants(choices: Choices, what: What, *, rows: int) -> tuple[Variant, ...]:
    """Return the three runs, the smallest value first; `rows` are there to learn from.

    Raise InvalidInput if a value is out of bounds, or if two would be the same.
    """
    title = clean_title(choices.title)
    match what:
        case "learning_rate":
            found = [_of_rate(choices, by) for by in (1 / 3, 1, 3)]
        case "share":
            found = [_of_share(choices, share, rows) for share in SHARES]
        case "length":
            found = [_of_length(choices, by) for by in (0.5, 1, 2)]
    if len({v.label for v in found}) < RUNS:
        raise InvalidInput(
            "One step cannot be halved. Let it learn longer, or vary something else."
        )
    return tuple(
        replace(v, choices=replace(v.choices, title=_title(title, v.tail)))
        for v in found
    )


def verdict(
    what: What, perplexities: Sequence[float], *, before: float | None
) -> Verdict:
    """Return what three held-out perplexities show, the smallest value's first.

    `before` is the perplexity before training, where there was one.
    """
    usual = _USUAL[what]
    limit = min(perplexities) * (1 + _NEAR)
    winners = tuple(n for n in range(RUNS) if perplexities[n] <= limit)
    if len(winners) == RUNS:
        return Verdict(
            winners,
            ("All three came out about the same: here this value hardly matters.",),
        )
    return Verdict(
        winners,
        tuple(
            _seen(what, place, perplexities[place], perplexities[usual], before)
            for place in range(RUNS)
            if place != usual
        ),
    )


def guessed(guess: int, verdict: Verdict) -> str:
    """Return what became of the learner's guess."""
    said = f"You said {GUESSES[guess]} would win"
    if len(verdict.winners) == RUNS:
        return f"{said}. It was a draw."
    if guess in verdict.winners:
        return f"{said}, and so it did."
    return f"{said}. It was {' and '.join(GUESSES[n] for n in verdict.winners)}."


def _of_rate(choices: Choices, by: float) -> Variant:
    # Two digits are enough, but what was chosen stays as it is.
    rate = choices.learning_rate * by
    rate = rate if by == 1 else float(f"{rate:.1e}")
    checked = float(check_number("learning_rate", rate))
    label = plain(checked)
    return Variant(replace(choices, learning_rate=checked), label, f"rate {label}")


def _of_share(choices: Choices, share: float, rows: int) -> Variant:
    count = max(LEAST_ROWS, round(rows * share))
    if round(rows * SHARES[1]) <= LEAST_ROWS:
        raise InvalidInput(
            f"There are only {rows} rows to learn from, and three different shares of"
            " them need more. Bring more text, or vary something else."
        )
    label = f"{100 * share:.0f} %"
    return Variant(choices, f"{label}, {count:,} rows", f"data {label}", count)


def _of_length(choices: Choices, by: float) -> Variant:
    name = choices.length
    number = getattr(choices, name) * by
    if name == "updates":
        number = max(1, round(number))
    checked = check_number(name, number)
    label = f"{plain(checked)} {_STEPS[name]}{'' if checked == 1 else 's'}"
    return Variant(replace(choices, **{name: checked}), label, label)  # type: ignore[arg-type]


def _title(title: str, tail: str) -> str:
    end = f" · {tail}"
    return clean_title(f"{title[: TITLE_CHARS - len(end)].rstrip()}{end}")


# What was compared, why it may have been better, and why worse.
_WORDS: Final[Mapping[tuple[What, int], tuple[str, str, str]]] = {
    ("learning_rate", 0): (
        "A third of the rate",
        "shorter steps settle deeper in the dip",
        "the ball crept, and the time was over before it arrived",
    ),
    ("learning_rate", 2): (
        "Three times the rate",
        "with longer steps the ball came further down in the same time",
        "with such long steps the ball jumps about in the dip",
    ),
    ("share", 0): (
        "10 % of the data",
        "more data needs more time to help, or this was chance",
        "what it never saw it cannot learn, and the little it saw it learns by heart",
    ),
    ("share", 1): (
        "30 % of the data",
        "more data needs more time to help, or this was chance",
        "more text would have shown it more",
    ),
    ("length", 0): (
        "Half as long",
        "after that it had begun to learn by heart",
        "the ball was still on its way down",
    ),
    ("length", 2): (
        "Twice as long",
        "the ball had still been on its way down",
        "it had begun to learn by heart",
    ),
}


def _seen(
    what: What, place: int, here: float, usual: float, before: float | None
) -> str:
    name, why_better, why_worse = _WORDS[what, place]
    if abs(here - usual) <= _NEAR * min(here, usual):
        return f"{name} made hardly a difference."
    if here < usual:
        return f"{name} was better: {why_better}."
    if what == "learning_rate" and place == 2 and before is not None and here >= before:
        return f"{name} was worse: it jumped across the dip, and ended no lower."
    return f"{name} was worse: {why_worse}."
