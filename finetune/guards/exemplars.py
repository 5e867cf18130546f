"""How near a text is to examples that people have labelled."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Embed = Callable[[list[str]], Vectors]

_DATA = Path(__file__).parent.parent / "data"
# How many of the nearest examples of a kind count.
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A labelled text. `kind` names what is wrong with it; benign ones are "fine"."""

    text: str
    label: int
    kind: str


def read_exemplars(name: str) -> list[Exemplar]:
    """Read the examples of one guard."""
    lines = (_DATA / f"{name}_exemplars.jsonl").read_text("utf-8").splitlines()
    return [Exemplar(**json.loads(line)) for line in lines]


class Nearness:
    """Scores texts between 0 and 1 for each kind of example."""

    def __init__(
        self, exemplars: list[Exemplar], embed: Embed, *, slope: float, offset: float
    ) -> None:
        """`slope` and `offset` turn a difference of cosines into a score.

        A text scores 0.5 when it is `offset` nearer to bad examples than to fine ones.
        """
        self._vectors = embed([exemplar.text for exemplar in exemplars])
        self._rows = {
            kind: np.array([e.kind == kind for e in exemplars])
            for kind in dict.fromkeys(e.kind for e in exemplars)
        }
        self._slope = slope
        self._offset = offset

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of bad examples."""
        return [kind for kind in self._rows if kind != "fine"]

    def scores(self, vectors: Vectors, *, margin: float = 0.0) -> dict[str, float]:
        """Return the highest score of several views of one text, by kind.

        The first view is the whole text; the others, its parts, must be nearer to bad
        examples by `margin`, since a part is easily misread.
        """
        similar = vectors @ self._vectors.T  # (views, exemplars)
        fine = _nearest(similar[:, self._rows["fine"]])
        fine[1:] += margin
        return {
            kind: float(
                self._score(_nearest(similar[:, self._rows[kind]]) - fine).max()
            )
            for kind in self.kinds
        }

    def _score(self, difference: Vectors) -> Vectors:
        logits = self._slope * (difference - self._offset)
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def _nearest(similar: Vectors) -> Vectors:
    """Return the mean cosine of the nearest examples, for each view."""
    nearest = np.sort(similar, axis=1)[:, -_NEAREST:]
    return np.asarray(nearest.mean(axis=1), dtype=np.float32)
