"""Which tokens can be drawn, and how likely: the whole vocabulary or enough of it."""

from __future__ import annotations

import numpy as np
import pytest

from finetune.serving.engine.chances import Cut, shape

CHANCES = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
LOGS = np.log(CHANCES)


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (Cut(1, 1, 0), CHANCES),
        (Cut(0, 1, 0), [1, 0, 0, 0, 0]),
        (Cut(1, 1, 2), [2 / 3, 1 / 3, 0, 0, 0]),
        (Cut(1, 0.7, 0), [2 / 3, 1 / 3, 0, 0, 0]),
        (Cut(1, 0.75, 0), [2 / 3, 1 / 3, 0, 0, 0]),
        (Cut(1, 0, 0), [1, 0, 0, 0, 0]),
        (Cut(0.5, 1, 2), [0.8, 0.2, 0, 0, 0]),
        # The cut-off by mass comes after the temperature: 16 to 4 to 1.
        (Cut(0.5, 0.7, 3), [1, 0, 0, 0, 0]),
        (Cut(0.5, 0.8, 3), [0.8, 0.2, 0, 0, 0]),
        (Cut(1, 1, 99), CHANCES),
    ],
)
def test_the_shape_of_a_draw(cut, expected):
    assert shape(LOGS, cut) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("temperature", [0.01, 0.05, 2])
def test_no_temperature_overflows(temperature):
    shaped = shape(np.array([-0.1, -800.0, -900.0]), Cut(temperature, 1, 0))
    assert shaped is not None
    assert shaped.sum() == pytest.approx(1)
    assert shaped[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (Cut(1, 1, 0), [0.5, 0.25, 0.125]),
        (Cut(1, 0.7, 0), [2 / 3, 1 / 3, 0]),
        (Cut(0.5, 1, 2), [0.8, 0.2, 0]),
        (Cut(0, 1, 0), [1, 0, 0]),
        # Only all of them can tell.
        (Cut(1, 0.9, 0), None),
        (Cut(0.5, 1, 0), None),
        (Cut(0.5, 1, 4), None),
        # Unless it is so cold that the rest has nothing.
        (Cut(0.05, 1, 0), [1, 0, 0]),
    ],
)
def test_the_likeliest_tokens_are_enough_or_not(cut, expected):
    shaped = shape(LOGS[:3], cut, is_whole=False)
    if expected is None:
        assert shaped is None
    else:
        assert shaped == pytest.approx(np.array(expected), abs=1e-4)
