"""Figures of a detector are what their definitions say."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import pytest

from finetune.figures import auc, recall_at, threshold_at, wilson

RATES = (0.005, 0.01, 0.05, 0.2)


def rows() -> Iterator[tuple[list[float], list[int]]]:
    """Yield scores and labels of many sizes: with ties, without, and of one kind."""
    rng = random.Random(1)
    for _ in range(400):
        steps = rng.choice((3, 20, 10**6))
        share = rng.choice((0, 0.1, 0.5, 0.9, 1))
        count = rng.randrange(1, 250)
        scores = [rng.randrange(steps) / steps for _ in range(count)]
        yield scores, [int(rng.random() < share) for _ in range(count)]


def of_kind(scores: Sequence[float], labels: Sequence[int], kind: int) -> list[float]:
    return [s for s, label in zip(scores, labels, strict=True) if label == kind]


def share(scores: Sequence[float], threshold: float) -> float:
    return sum(score >= threshold for score in scores) / len(scores)


def test_auc_is_the_share_of_pairs_in_the_right_order():
    for scores, labels in rows():
        attacks, benign = (of_kind(scores, labels, kind) for kind in (1, 0))
        if not attacks or not benign:
            assert auc(scores, labels) is None
            continue
        pairs = [(a > b) + (a == b) / 2 for a in attacks for b in benign]
        assert auc(scores, labels) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


@pytest.mark.parametrize("rate", RATES)
def test_recall_is_that_of_the_best_threshold_within_the_rate(rate: float):
    for scores, labels in rows():
        attacks, benign = (of_kind(scores, labels, kind) for kind in (1, 0))
        if not attacks or not benign:
            assert recall_at(scores, labels, rate) is None
            continue
        best = max(
            share(attacks, threshold)
            for threshold in (*scores, math.inf)
            if share(benign, threshold) <= rate
        )
        assert recall_at(scores, labels, rate) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("rate", RATES)
def test_a_threshold_is_the_lowest_within_the_rate(rate: float):
    for scores, _ in rows():
        threshold = threshold_at(scores, rate)
        assert share(scores, threshold) <= rate
        assert share(scores, math.nextafter(threshold, -math.inf)) > rate


def test_nothing_has_no_figures():
    assert auc([], []) is None
    assert recall_at([], []) is None
    assert threshold_at([], 0.01) == 0.5
    assert wilson(0, 0) == (0, 0, 1)


@pytest.mark.parametrize("total", [1, 7, 200, 5000])
def test_the_bounds_of_an_interval_are_just_compatible_with_the_share(total: int):
    for hits in (0, 1, total // 3, total):
        found = wilson(hits, total)
        assert found.share == hits / total
        assert 0 <= found.low <= found.high <= 1
        for bound in (found.low, found.high):
            # A true share at the bound is 1.96 of its own deviations away.
            deviation = math.sqrt(bound * (1 - bound) / total)
            assert abs(found.share - bound) == pytest.approx(
                1.959964 * deviation, abs=1e-8
            )
