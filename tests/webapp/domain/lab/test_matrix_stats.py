"""Intervals and differences, against published figures."""

from __future__ import annotations

import pytest

from webapp.domain.lab.matrix_stats import Score, difference, interval, verdicts


@pytest.mark.parametrize(
    ("score", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
        (Score(81, 263), 0.2553, 0.3662),
        (Score(15, 148), 0.0624, 0.1605),
        (Score(0, 20), 0.0, 0.1611),
        (Score(1, 29), 0.0061, 0.1718),
        (Score(0, 0), 0.0, 1.0),
    ],
)
def test_an_interval_is_wilsons(score: Score, low: float, high: float) -> None:
    assert interval(score) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10.
        (Score(48, 80), Score(56, 70), 0.0524, 0.3339),
        (Score(3, 10), Score(9, 10), 0.1705, 0.8090),
        (Score(0, 20), Score(10, 10), 0.6791, 1.0),
    ],
)
def test_a_difference_is_newcombes(
    first: Score, second: Score, low: float, high: float
) -> None:
    assert difference(first, second) == pytest.approx((low, high), abs=5e-5)


def test_a_sure_difference_names_the_better_one_whatever_the_order() -> None:
    named = [("Prompt 1", Score(19, 20)), ("Prompt 2", Score(6, 20))]
    (one,) = verdicts([named])
    (other,) = verdicts([named[::-1]])
    assert one == other
    assert one.is_sure
    assert one.sentence.startswith(
        "Prompt 1 does better than Prompt 2: 19 of 20 passed, against 6 of 20."
    )


def test_few_replies_tell_nothing_yet() -> None:
    (one,) = verdicts([[("Prompt 1", Score(3, 5)), ("Prompt 2", Score(1, 5))]])
    assert not one.is_sure
    assert one.sentence.startswith("Prompt 1 or Prompt 2? It cannot be told yet")


def test_among_many_pairs_each_is_judged_more_strictly() -> None:
    pair = [("a", Score(15, 20)), ("b", Score(8, 20))]
    assert [one.is_sure for one in verdicts([pair])] == [True]
    same = [("c", Score(5, 10)), ("d", Score(5, 10)), ("e", Score(5, 10))]
    assert [one.is_sure for one in verdicts([pair, same])] == [False] * 4


def test_what_was_not_judged_is_not_compared() -> None:
    assert verdicts([[("a", Score(3, 3)), ("b", Score(0, 0))]]) == ()
