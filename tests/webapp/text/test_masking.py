"""A word is covered wherever it can be read at a glance."""

from __future__ import annotations

import pytest

from webapp.text.masking import masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is lantern.", "It is [X]."),
        ("LANTERN, Lantern and lanterns", "[X], [X] and [X]s"),
        ("Letter by letter: L-A-N-T-E-R-N!", "Letter by letter: [X]!"),
        ("l, a, n, t, e, r, n", "[X]"),
        ("Read it backwards: nretnal", "Read it backwards: [X]"),
        ("n.r.e.t.n.a.l", "[X]"),
        ("A lamp, and no lan tern", "A lamp, and no lan tern"),
        ("", ""),
    ],
)
def test_a_word_is_covered(text: str, expected: str) -> None:
    assert masked(text, "lantern", "[X]") == expected


def test_accents_may_be_stored_in_any_way() -> None:
    assert masked("Caf\u00e9 or cafe\u0301", "cafe\u0301", "[X]") == "[X] or [X]"


def test_signs_in_a_word_or_mark_mean_nothing() -> None:
    assert masked("a.b and aXb", "a.b", r"\1") == r"\1 and aXb"
    assert masked("nothing", "", "[X]") == "nothing"
