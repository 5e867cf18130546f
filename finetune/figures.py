"""Figures of a detector: how well scores tell attacks (1) from benign texts (0).

A text is flagged when its score is at or above a threshold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

_Z = 1.959964  # 95 % of a normal distribution lie within this many deviations


class Interval(NamedTuple):
    """A share, and the bounds between which it lies with a probability of 95 %."""

    share: float
    low: float
    high: float


def auc(scores: Sequence[float], labels: Sequence[int]) -> float | None:
    """Return how often an attack scores above a benign text; ties count half.

    None unless both kinds are there.
    """
    if len(set(labels)) < 2:
        return None
    return float(roc_auc_score(labels, scores))


def recall_at(
    scores: Sequence[float], labels: Sequence[int], rate: float = 0.01
) -> float | None:
    """Return the share of attacks found at a false-alarm rate on the same rows.

    None unless both kinds are there.
    """
    if len(set(labels)) < 2:
        return None
    # All points of the curve: of those on a straight line it would keep the ends only.
    false_alarms, recall, _ = roc_curve(labels, scores, drop_intermediate=False)
    return float(recall[false_alarms <= rate].max())


def threshold_at(benign: Sequence[float], rate: float) -> float:
    """Return the lowest threshold that flags at most `rate` of benign scores.

    0.5 without any. scikit-learn has no threshold of benign scores alone.
    """
    if not len(benign):
        return 0.5
    highest_first = np.sort(np.asarray(benign, dtype=np.float64))[::-1]
    # The first score that must not be flagged, and the least bit more.
    return float(np.nextafter(highest_first[math.floor(rate * len(benign))], np.inf))


def wilson(hits: int, total: int) -> Interval:
    """Return a share with its 95 % interval (Wilson 1927); of nothing, 0 to 1.

    SciPy has it too, behind a test that takes hundreds of times as long, and training
    finds a threshold by one interval for each benign row.
    """
    if not total:
        return Interval(0.0, 0.0, 1.0)
    share = hits / total
    middle = share + _Z * _Z / (2 * total)
    half = _Z * math.sqrt(share * (1 - share) / total + _Z * _Z / (4 * total * total))
    scale = 1 + _Z * _Z / total
    low, high = (middle - half) / scale, (middle + half) / scale
    return Interval(share, max(0.0, low), min(1.0, high))
