"""Only {known} names are filled in, once."""

from __future__ import annotations

import pytest

from webapp.content.lessons.placeholders import fill, names_in, texts_in


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{word}zo", "lampzo"),
        ('{"word": "{word}"}', '{"word": "lamp"}'),
        ("{{word}}", "{lamp}"),
        ("{other} {Word} {word }", "{other} {Word} {word }"),
        ("{twice}", "{word}"),
        ("", ""),
    ],
)
def test_filling(text: str, filled: str) -> None:
    assert fill(text, {"word": "lamp", "twice": "{word}"}) == filled


def test_finding() -> None:
    assert names_in('{a} {b_2} {"c": 1} {}') == {"a", "b_2"}
    assert list(texts_in({"a": ["b", 1, {"c": "d"}], "e": None})) == ["b", "d"]
