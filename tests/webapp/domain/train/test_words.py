"""Figures as people say them."""

from __future__ import annotations

import pytest

from webapp.domain.train import words


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (512, "512"),
        (16_700, "16,700"),
        (1_050_000, "1.05 million"),
        (134_515_008, "135 million"),
        (14_112_000_000_000, "14,112 billion"),
    ],
)
def test_large_numbers(number: float, said: str) -> None:
    assert words.large(number) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second"),
        (59, "59 seconds"),
        (170, "2 minutes 50 s"),
        (1200, "20 minutes"),
        (3_700, "1 hour 1 minute"),
    ],
)
def test_times(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("predicted", "actual", "said"),
    [
        (100, 101, "as predicted"),
        (100, 150, "50 % more than predicted"),
        (100, 80, "20 % less than predicted"),
        (0, 80, ""),
    ],
)
def test_how_far_off_a_prediction_was(
    predicted: float, actual: float, said: str
) -> None:
    assert words.off_by(predicted, actual) == said


def test_sizes_and_perplexity() -> None:
    assert words.bytes_words(1_400_000_000) == "1.4 GB"
    assert words.bytes_words(86_000) == "86 kB"
    assert words.perplexity_words(34.8) == "as if it chose between 35 words each time"
