"""How near texts are to each other in meaning, and how that looks on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]


def packed(vector: Sequence[float]) -> bytes:
    """Return an embedding as it is kept: 32-bit numbers of length 1 together."""
    row = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(row))
    return (row / length if length else row).astype("<f4").tobytes()


def unpacked(rows: Iterable[bytes]) -> Vectors:
    """Return kept embeddings as the rows of a table."""
    return np.array([np.frombuffer(row, dtype="<f4") for row in rows], np.float32)


def scores(vectors: Vectors, question: bytes) -> list[float]:
    """Return the cosine of each row with the question: 1 means the same."""
    return [round(float(x), 4) for x in vectors @ unpacked([question])[0]]


def flattened(vectors: Vectors) -> list[tuple[float, float]]:
    """Return a place from -1 to 1 on paper for each row, so that most of it shows.

    The two directions in which the rows differ most (PCA). The sign of a direction
    means nothing; it is fixed, so that a picture stays as it is.
    """
    if len(vectors) < 2:
        return [(0.0, 0.0)] * len(vectors)
    centred: npt.NDArray[Any] = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane = centred @ directions[:2].T
    if plane.shape[1] < 2:
        plane = np.column_stack([plane, np.zeros(len(plane))])
    for axis in range(2):
        largest = plane[np.abs(plane[:, axis]).argmax(), axis]
        plane[:, axis] *= -1 if largest < 0 else 1
    farthest = float(np.abs(plane).max())
    if farthest > 0:
        plane /= farthest
    return [(round(float(x), 4), round(float(y), 4)) for x, y in plane]
