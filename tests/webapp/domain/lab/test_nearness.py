"""How near texts are, and where they lie on paper."""

from __future__ import annotations

import numpy as np
import pytest

from webapp.domain.lab.nearness import flattened, packed, scores, unpacked


def test_a_score_is_the_cosine_whatever_the_length() -> None:
    rows = [packed(v) for v in ([3.0, 0.0], [1.0, 1.0], [0.0, 0.5], [-2.0, 0.0])]
    assert scores(unpacked(rows), packed([10.0, 0.0])) == [1.0, 0.7071, 0.0, -1.0]


def test_an_embedding_of_nothing_is_near_nothing() -> None:
    assert scores(unpacked([packed([0.0, 0.0])]), packed([1.0, 0.0])) == [0.0]


def test_what_differs_most_is_across_the_paper() -> None:
    # Far apart in the third direction, a little in the second.
    rows = np.array([[1, 0, 9], [1, 1, -9], [1, 0, -9], [1, 1, 9]], dtype=np.float32)
    places = flattened(rows)
    assert [abs(x) for x, _ in places] == pytest.approx([1, 1, 1, 1], abs=0.01)
    assert places[0][0] == pytest.approx(places[3][0], abs=0.01)
    assert places[0][0] == pytest.approx(-places[1][0], abs=0.01)
    assert abs(places[0][1]) == pytest.approx(0.5 / 9, abs=0.01)


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ([[0.6, 0.8]], [(0.0, 0.0)]),
        ([[0.6, 0.8], [0.6, 0.8]], [(0.0, 0.0), (0.0, 0.0)]),
        ([[1.0], [3.0]], [(1.0, 0.0), (-1.0, 0.0)]),
    ],
)
def test_few_passages_have_a_place_too(
    rows: list[list[float]], places: list[tuple[float, float]]
) -> None:
    found = flattened(np.array(rows, dtype=np.float32))
    assert [tuple(map(abs, place)) for place in found] == [
        tuple(map(abs, place)) for place in places
    ]
