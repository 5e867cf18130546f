"""How strong models are, from votes between two of them: Bradley–Terry, told as Elo."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

AVERAGE: Final = 1000
# 400 points more: ten times the chance to win.
_PER_TENFOLD: Final = 400
ROUNDS: Final = 200
# Fewer votes than these say nothing about how sure a rating is.
FEWEST: Final = 5
_STEPS: Final = 200
# Of the logarithm of a strength: a hundredth of a point, and half a point.
_EXACT, _NEAR = 5e-5, 3e-3
# Each model has also drawn so many games against an average one: without them, one
# that won its only game would be infinitely strong.
_DRAWN: Final = 1.0


class Vote(NamedTuple):
    """One game: `score` is 1 if the first won, 0 if the second did, 0.5 for even."""

    first: int
    second: int
    score: float


@dataclass(frozen=True, slots=True)
class Rating:
    """The strength of a model; in 95 of 100 cases it is from `low` to `high`.

    With fewer than `FEWEST` votes these are not to be believed: `is_sure` is false.
    """

    model: int
    elo: int
    low: int
    high: int
    won: int
    lost: int
    even: int

    @property
    def games(self) -> int:
        """How many votes it rests on."""
        return self.won + self.lost + self.even

    @property
    def is_sure(self) -> bool:
        """Whether there are votes enough for the interval to mean something."""
        return self.games >= FEWEST


@lru_cache(maxsize=64)
def rate(votes: tuple[Vote, ...]) -> tuple[Rating, ...]:
    """Return the rating of every model that was voted on, the strongest first.

    The intervals are from votes drawn again and again from these, always the same way.
    """
    models = sorted({model for vote in votes for model in vote[:2]})
    place = {model: n for n, model in enumerate(models)}
    games = [(place[v.first], place[v.second], v.score) for v in votes]
    strengths = _strengths(games, [1.0] * len(models), _EXACT) if games else []
    chance = random.Random(0)  # noqa: S311 -- statistics, not secrecy
    drawn = [
        _strengths(chance.choices(games, k=len(games)), strengths, _NEAR)
        for _ in range(ROUNDS if games else 0)
    ]
    ratings = [
        _rating(model, strengths[n], sorted(each[n] for each in drawn), votes)
        for n, model in enumerate(models)
    ]
    return tuple(sorted(ratings, key=lambda r: (-r.elo, r.model)))


def chance_to_win(first: float, second: float) -> float:
    """Return how likely the first wins by two ratings."""
    return float(1 / (1 + 10 ** ((second - first) / _PER_TENFOLD)))


def _strengths(
    games: Sequence[tuple[int, int, float]], begin: Sequence[float], exact: float
) -> list[float]:
    """Return the strengths that make the games likeliest (Hunter's MM algorithm)."""
    won = [_DRAWN / 2] * len(begin)
    pairs: defaultdict[tuple[int, int], int] = defaultdict(int)
    for first, second, score in games:
        won[first] += score
        won[second] += 1 - score
        pairs[(first, second) if first < second else (second, first)] += 1
    counted = [(first, second, count) for (first, second), count in pairs.items()]
    strengths = list(begin)
    for _ in range(_STEPS):
        played = [_DRAWN / (own + 1) for own in strengths]
        for first, second, count in counted:
            share = count / (strengths[first] + strengths[second])
            played[first] += share
            played[second] += share
        new = [mine / theirs for mine, theirs in zip(won, played, strict=True)]
        moved = max(abs(math.log(a / b)) for a, b in zip(new, strengths, strict=True))
        strengths = new
        if moved < exact:
            break
    return strengths


def _rating(
    model: int, strength: float, drawn: list[float], votes: Sequence[Vote]
) -> Rating:
    scores = [v.score for v in votes if v.first == model]
    scores += [1 - v.score for v in votes if v.second == model]
    last = len(drawn) - 1
    return Rating(
        model=model,
        elo=_elo(strength),
        low=_elo(drawn[round(0.025 * last)]),
        high=_elo(drawn[round(0.975 * last)]),
        won=scores.count(1),
        lost=scores.count(0),
        even=scores.count(0.5),
    )


def _elo(strength: float) -> int:
    return round(AVERAGE + _PER_TENFOLD * math.log10(strength))
