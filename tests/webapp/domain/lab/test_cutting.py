"""Texts cut into passages."""

from __future__ import annotations

from itertools import pairwise

import pytest

from webapp.domain.lab.cutting import cut


@pytest.mark.parametrize(
    ("text", "size", "overlap", "passages"),
    [
        ("one two three four five", 2, 0, ["one two", "three four", "five"]),
        ("one two three four five", 3, 1, ["one two three", "three four five"]),
        ("one\n\n  two three", 2, 1, ["one\n\n  two", "two three"]),
        ("one two", 5, 2, ["one two"]),
        ("  \n ", 5, 2, []),
        # Without gaps a piece of twenty characters is a word.
        ("歩" * 50, 2, 0, ["歩" * 40, "歩" * 10]),
    ],
)
def test_a_passage_has_so_many_words(
    text: str, size: int, overlap: int, passages: list[str]
) -> None:
    assert cut(text, size=size, overlap=overlap) == passages


def test_nothing_of_a_text_is_lost() -> None:
    words = [f"word{n}" for n in range(101)]
    passages = cut(" ".join(words), size=10, overlap=3)
    said = [word for passage in passages for word in passage.split()]
    assert list(dict.fromkeys(said)) == words
    for one, after in pairwise(passages):
        assert one.split()[-3:] == after.split()[:3]
