"""Shares of languages are told, and left open where a row does not say enough."""

from __future__ import annotations

import pytest

from finetune.data.texts.languages import (
    Languages,
    find_languages,
    identifier,
    in_words,
    names,
)
from finetune.data.texts.rendering import Rendered

ENGLISH = "The old keeper opens the gate in the morning and sweeps the yard."
GERMAN = "Der alte Wärter öffnet am Morgen das Tor und fegt den Hof."


def found(*texts: str) -> Languages:
    return find_languages([Rendered(text) for text in texts])


def test_shares_are_those_of_the_rows() -> None:
    mixed = found(*[ENGLISH] * 22, *[GERMAN] * 3)
    assert mixed == Languages({"English": 0.88, "German": 0.12}, 0.0)
    assert in_words(mixed) == "mostly English, 12 % German"
    assert in_words(found(ENGLISH, ENGLISH)) == "English"


@pytest.mark.parametrize("text", ["red", "12 + 30 = 42", "def f(x): return x+1", "👍"])
def test_what_is_too_short_or_no_language_is_left_open(text: str) -> None:
    assert found(text, text) == Languages({}, 1.0)
    assert in_words(found(text, text)).startswith("cannot be told")
    some = found(*[text] * 3, *[ENGLISH] * 7)
    assert in_words(some) == "English, 30 % cannot be told"


def test_one_long_text_is_looked_at_piece_by_piece() -> None:
    shares = found(f"{ENGLISH} " * 60 + f"{GERMAN} " * 60).shares
    assert list(shares) == ["English", "German"]
    assert 0.4 < shares["German"] < 0.6


def test_only_the_content_counts_and_not_the_template() -> None:
    rows = [Rendered(f"Here is one more of the recipes: {GERMAN}", content=GERMAN)] * 3
    assert find_languages(rows).shares == {"German": 1.0}


def test_a_row_in_a_thousand_is_no_language_of_the_data() -> None:
    assert found(*[ENGLISH] * 99, GERMAN) == Languages({"English": 0.99}, 0.0)
    assert in_words(Languages({"English": 0.45, "German": 0.4}, 0.15)) == (
        "mostly English, 40 % German, 15 % cannot be told"
    )
    assert in_words(Languages({"Dutch": 0.4, "German": 0.4}, 0.0)) == (
        "40 % Dutch, 40 % German"
    )
    assert in_words(found()) == ""


def test_every_language_that_can_be_told_has_a_name() -> None:
    assert set(identifier().labels) - {"zxx"} == set(names())
