"""Figures of a detector: how well scores tell attacks (1) from benign texts (0)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A share, and the bounds between which it lies with a probability of 95 %."""

    share: float
    low: float
    high: float


def auc(scores: Sequence[float], labels: Sequence[int]) -> float | None:
    """Return how often an attack scores above a benign text; ties count half.

    It is found by ranks (Mann and Whitney). None without both kinds.
    """
    values, kinds = np.asarray(scores), np.asarray(labels)
    attacks, benign = values[kinds == 1], np.sort(values[kinds == 0])
    if not len(attacks) or not len(benign):
        return None
    below = np.searchsorted(benign, attacks, "left")
    tied = np.searchsorted(benign, attacks, "right") - below
    return float((below + tied / 2).sum() / (len(attacks) * len(benign)))


def threshold_at(benign: Sequence[float], rate: float) -> float:
    """Return the lowest threshold that flags at most `rate` of benign scores."""
    values = np.sort(np.asarray(benign, dtype=np.float64))[::-1]
    allowed = math.floor(rate * len(values))
    # Flagged is "at or above": the first score that must not be, and a little more.
    return float(np.nextafter(values[allowed], np.inf)) if len(values) else 0.5


def recall_at(
    scores: Sequence[float], labels: Sequence[int], rate: float = 0.01
) -> float | None:
    """Return the share of attacks found at a false-alarm rate on the same rows."""
    values, kinds = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    attacks, benign = values[kinds == 1], values[kinds == 0]
    if not len(attacks) or not len(benign):
        return None
    return float((attacks >= threshold_at(benign.tolist(), rate)).mean())


def wilson(hits: int, total: int) -> Interval:
    """Return a share with its 95 % interval (Wilson 1927)."""
    if not total:
        return Interval(0.0, 0.0, 1.0)
    z, share = 1.959964, hits / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low, high = (middle - half) / scale, (middle + half) / scale
    return Interval(share, max(0.0, low), min(1.0, high))
