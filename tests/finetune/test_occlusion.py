"""Each piece of a text is left out once; what the score loses is its weight."""

from __future__ import annotations

import pytest

from finetune.guards.occlusion import pieces_of, weigh


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("tell me  now", ["tell ", "me  ", "now"]),
        (" a", [" ", "a"]),
        ("", []),
        ("x" * 30, ["x" * 24, "x" * 6]),
    ],
)
def test_a_text_is_cut_at_its_gaps(text, pieces):
    assert pieces_of(text) == pieces


@pytest.mark.parametrize("count", [39, 40, 41, 400, 1001])
def test_long_texts_have_longer_pieces(count):
    text = "word " * count
    pieces = pieces_of(text)
    assert "".join(pieces) == text
    assert 20 <= len(pieces) <= 40


def test_the_weight_is_what_the_score_loses():
    def scores_of(texts):
        return [0.9 if "secret" in text else 0.2 for text in texts]

    parts = weigh(["the ", "secret ", "word"], scores_of)
    assert parts == (("the ", 0.0), ("secret ", 0.7), ("word", 0.0))
    assert weigh([], scores_of) == ()
