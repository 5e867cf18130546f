"""What a matrix shows: shares with their intervals, and whether two of them differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Final, NamedTuple

ERROR: Final = 0.05


class Score(NamedTuple):
    """How many of so many judged replies have passed."""

    passed: int
    of: int

    @property
    def share(self) -> float:
        """Passed over judged; 0 of nothing is 0."""
        return self.passed / self.of if self.of else 0.0


def together(scores: Iterable[Score]) -> Score:
    """Return several scores as one."""
    passed, of = zip(*scores, strict=True)
    return Score(sum(passed), sum(of))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two things differ: `sentence` says it, `is_sure` whether it is told."""

    sentence: str
    is_sure: bool


def interval(score: Score, *, error: float = ERROR) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927); (0, 1) for no replies."""
    if score.of == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(1 - error / 2)
    count, share = score.of, score.share
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    half = z * spread / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(
    first: Score, second: Score, *, error: float = ERROR
) -> tuple[float, float]:
    """Return the interval of second minus first (Newcombe 1998, method 10)."""
    low_1, high_1 = interval(first, error=error)
    low_2, high_2 = interval(second, error=error)
    gap = second.share - first.share
    down = math.hypot(second.share - low_2, high_1 - first.share)
    up = math.hypot(high_2 - second.share, first.share - low_1)
    return gap - down, gap + up


def verdicts(groups: Sequence[Sequence[tuple[str, Score]]]) -> tuple[Verdict, ...]:
    """Return a sentence for each pair within each group of named scores.

    The more pairs there are, the more one of them would seem to differ by chance: so
    each is judged more strictly, and all together are wrong once in twenty times.
    """
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    judged = [pair for pair in pairs if pair[0][1].of and pair[1][1].of]
    error = ERROR / max(1, len(judged))
    return tuple(_verdicts(judged, error))


def _verdicts(
    pairs: Sequence[tuple[tuple[str, Score], tuple[str, Score]]], error: float
) -> Iterator[Verdict]:
    for (first, a), (second, b) in pairs:
        low, high = difference(a, b, error=error)
        if low > 0 or high < 0:
            if high < 0:
                first, a, second, b = second, b, first, a
            yield Verdict(
                f"{second} does better than {first}: {_told(b)} passed, against"
                f" {_told(a)}. So large a difference is hardly chance.",
                is_sure=True,
            )
        else:
            yield Verdict(
                f"{first} or {second}? It cannot be told yet: {_told(a)} passed, and"
                f" {_told(b)}. Chance alone often makes such a difference.",
                is_sure=False,
            )


def _told(score: Score) -> str:
    return f"{score.passed} of {score.of}"
