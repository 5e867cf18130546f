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


@pytest.mark.parametrize(
    ("with_it", "without", "weight"),
    # 9 to 1 against 1 to 4; sure and surer; an exact finding.
    [(0.9, 0.2, 3.5835), (0.999, 0.99, 2.3116), (1.0, 0.5, 13.8155)],
)
def test_the_weight_is_what_the_log_odds_lose(with_it, without, weight):
    def scores_of(texts):
        return [with_it if "secret" in text else without for text in texts]

    parts = weigh(["the ", "secret ", "word"], scores_of)
    assert parts == (("the ", 0.0), ("secret ", weight), ("word", 0.0))
    assert weigh([], scores_of) == ()
