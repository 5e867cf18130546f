"""Bradley–Terry: the order, the size of the gap, and how sure it is."""

from __future__ import annotations

import random

import pytest

from webapp.domain.train.ratings import AVERAGE, Vote, chance_to_win, rate


def votes(first: int, second: int, won: int, lost: int, even: int = 0) -> list[Vote]:
    return [
        *[Vote(first, second, 1.0)] * won,
        *[Vote(first, second, 0.0)] * lost,
        *[Vote(first, second, 0.5)] * even,
    ]


def test_no_votes_no_ratings() -> None:
    assert rate(()) == ()


def test_ten_to_one_is_nearly_four_hundred_points() -> None:
    best, worst = rate(tuple(votes(1, 2, won=100, lost=10)))
    assert (best.model, worst.model) == (1, 2)
    assert best.elo - worst.elo == pytest.approx(400, abs=15)
    assert (best.won, best.lost, best.even, best.games) == (100, 10, 0, 110)
    assert chance_to_win(best.elo, worst.elo) == pytest.approx(10 / 11, abs=0.01)


def test_as_many_won_as_lost_is_the_average() -> None:
    found = rate(tuple(votes(1, 2, won=5, lost=5, even=4)))
    assert [r.elo for r in found] == [AVERAGE, AVERAGE]
    assert all(r.low < AVERAGE < r.high for r in found)


def test_who_beats_the_strong_is_stronger_than_who_beats_the_weak() -> None:
    game = (
        *votes(1, 2, won=8, lost=2),
        *votes(3, 1, won=6, lost=4),
        *votes(4, 2, won=6, lost=4),
    )
    order = [r.model for r in rate(tuple(game))]
    assert order == [3, 1, 4, 2]


def test_the_side_does_not_matter() -> None:
    there = rate((*votes(1, 2, won=3, lost=1),))
    back = rate((*votes(2, 1, won=1, lost=3),))
    assert [(r.model, r.elo) for r in there] == [(r.model, r.elo) for r in back]


def test_who_won_its_only_game_is_not_infinitely_strong_and_nobody_is_sure() -> None:
    best, worst = rate((Vote(1, 2, 1.0),))
    assert AVERAGE < best.elo < AVERAGE + 200
    assert not best.is_sure
    assert not worst.is_sure


def test_more_votes_make_a_narrower_range_and_it_is_the_same_each_time() -> None:
    few = rate(tuple(votes(1, 2, won=6, lost=4)))[0]
    many = rate(tuple(votes(1, 2, won=60, lost=40)))[0]
    assert few.low < few.elo < few.high
    assert many.high - many.low < few.high - few.low
    rate.cache_clear()
    assert rate(tuple(votes(1, 2, won=6, lost=4)))[0] == few


def test_the_true_strengths_are_within_nearly_all_ranges() -> None:
    chance = random.Random(3)
    true = {n: AVERAGE + 60 * (n - 4.5) for n in range(10)}
    game = []
    for _ in range(900):
        first, second = chance.sample(range(10), 2)
        won = chance.random() < chance_to_win(true[first], true[second])
        game.append(Vote(first, second, float(won)))
    found = rate(tuple(game))
    inside = sum(r.low - 10 <= true[r.model] <= r.high + 10 for r in found)
    assert inside >= 8
