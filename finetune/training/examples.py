"""Rows as a gate reads them, and which of them an update learns from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from finetune.data.guards.rows import Row
from finetune.guards.readings import Reader, Window

OWN = "made"
# Windows of one text that are read to learn from it: its first ones.
MOST = 16
# As many batches are drawn and sorted by length together.
_POOL = 16
_MANY = 1_000_003  # seeds of different runs are that far apart


class Examples:
    """Rows and their windows, of all readings.

    The windows of a row are learned from together, as they are judged: the worst of
    them is what the row counts for. So of a long attack, the harmless parts are not
    taken for one.
    """

    def __init__(
        self, rows: Sequence[Row], windows: Sequence[Window], places: Sequence[range]
    ) -> None:
        """`places` says which of the windows are those of each row."""
        self.rows, self.windows, self.places = rows, windows, places
        self.labels = torch.tensor([float(row.label) for row in rows])

    @classmethod
    def read(cls, rows: Sequence[Row], reader: Reader) -> Examples:
        """Cut rows into windows."""
        windows: list[Window] = []
        places = []
        for row in rows:
            first = len(windows)
            windows += reader.windows(row.text)[:MOST]
            places.append(range(first, len(windows)))
        return cls(rows, windows, places)

    def among(self, picked: Sequence[int]) -> Examples:
        """Return some of the rows, with the same windows."""
        rows = [self.rows[number] for number in picked]
        return Examples(rows, self.windows, [self.places[n] for n in picked])

    def of(self, picked: Sequence[int], most: int = MOST) -> tuple[list[int], Tensor]:
        """Return the first windows of some rows, and the place of each one's row."""
        found = [
            (number, place)
            for place, row in enumerate(picked)
            for number in self.places[row][:most]
        ]
        return [number for number, _ in found], torch.tensor([p for _, p in found])

    def length(self, row: int) -> int:
        """Return the tokens of the longest window of a row."""
        return max(len(self.windows[number]) for number in self.places[row])


def chances(rows: Sequence[Row], own: float) -> Tensor:
    """Return how likely each row is to be drawn; the sum is 1.

    Generated rows have the share `own`. Of the others, each publisher counts by the
    root of its number of rows: a large one is heard, but not alone.
    """
    publishers = [row.publisher for row in rows]
    sizes = Counter(publishers)
    others = sum(math.sqrt(size) for name, size in sizes.items() if name != OWN)
    if not others or OWN not in sizes:
        own = float(OWN in sizes)

    def chance(publisher: str) -> float:
        size = sizes[publisher]
        share = own if publisher == OWN else (1 - own) * math.sqrt(size) / others
        return share / size

    return torch.tensor([chance(name) for name in publishers], dtype=torch.float64)


class Draw:
    """Batches of rows, drawn by their chances; of about equal lengths.

    A batch depends on its number alone, so that a run can go on anywhere.
    """

    def __init__(
        self, examples: Examples, chance: Tensor, size: int, *, seed: int
    ) -> None:
        self._examples, self._chance = examples, chance
        self._size, self._seed = size, seed
        self._pool = lru_cache(maxsize=1)(self._drawn)

    def batch(self, number: int) -> list[int]:
        """Return the rows of a batch."""
        return self._pool(number // _POOL)[number % _POOL]

    def _drawn(self, pool: int) -> list[list[int]]:
        rng = torch.Generator().manual_seed(self._seed * _MANY + pool)
        drawn = torch.multinomial(
            self._chance, _POOL * self._size, replacement=True, generator=rng
        ).tolist()
        drawn.sort(key=self._examples.length)
        cut = [
            drawn[start : start + self._size]
            for start in range(0, len(drawn), self._size)
        ]
        return [cut[n] for n in torch.randperm(_POOL, generator=rng).tolist()]


def worst(logits: Tensor, owners: Tensor, rows: int) -> Tensor:
    """Return the highest logit of each row's windows: (…, windows) → (…, rows)."""
    lowest = logits.new_full((*logits.shape[:-1], rows), -math.inf)
    return lowest.scatter_reduce(-1, owners.expand_as(logits), logits, "amax")
