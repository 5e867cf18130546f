"""Where a guard's scores begin to count as an alarm."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from finetune.data.guards.rows import Row
from finetune.figures import wilson
from finetune.guards.gate import GUARD
from finetune.weights.files import write_json

_WORST = 3  # how many times the rate of all a single source may have


def even_threshold(rows: Sequence[Row], scores: Sequence[float], rate: float) -> float:
    """Return the lowest threshold with a false-alarm rate of at most `rate`.

    That is of all harmless rows together; and of no source may it be certain, by its
    95 % interval, that it is more than three times as many. So a small one with long or
    odd messages is heard beside a large one with easy messages, but one or two rows of
    it do not decide.
    """
    harmless = [
        (score, row.source)
        for row, score in zip(rows, scores, strict=True)
        if not row.label
    ]
    sizes = Counter(source for _, source in harmless)
    alarms: Counter[str] = Counter()
    for score, source in sorted(harmless, reverse=True):
        alarms[source] += 1
        _, least, _ = wilson(alarms[source], sizes[source])
        if alarms.total() > rate * len(harmless) or least > _WORST * rate:
            # Flagged is "at or above": this one must not be.
            return math.nextafter(score, math.inf)
    return 0.5


def write_thresholds(
    out: Path,
    rows: Sequence[Row],
    scores: Sequence[float],
    *,
    rate: float,
    temperature: float,
    **more: float,
) -> float:
    """Write `guard.json` with the thresholds of a guard, and what more it is to hold.

    They are for half the rate of false alarms, the rate, and five times the rate;
    returns that of the rate.
    """
    thresholds = {
        str(share): even_threshold(rows, scores, share)
        for share in (rate / 2, rate, 5 * rate)
    }
    found = {"temperature": temperature, "threshold": thresholds[str(rate)]}
    write_json(out / GUARD, {**found, "thresholds": thresholds, **more})
    return thresholds[str(rate)]


def calibrate(logits: Sequence[float], labels: Sequence[int]) -> float:
    """Return the temperature that makes scores the likeliest (Guo et al. 2017).

    Divided by it, logits that are too sure of themselves become probabilities.
    """
    z, y = torch.tensor(logits), torch.tensor([float(label) for label in labels])
    candidates = [2 ** (n / 8) for n in range(-16, 33)]
    if not len(z):
        return 1.0
    return min(
        candidates,
        key=lambda t: float(F.binary_cross_entropy_with_logits(z / t, y)),
    )
