"""The longest row of words that a text has from another."""

from __future__ import annotations

import time

from tests.kit.clocks import patient
from webapp.domain.train.copying import Copied, longest_copies

SOURCE = "First chop the onions, and fry them in butter. Then add salt."


def longest(text: str, *sources: str, unless: tuple[str, ...] = ()) -> Copied | None:
    return longest_copies([text], sources, unless_in=[unless])[0]


def test_case_and_punctuation_do_not_count_and_the_text_is_as_it_was_written() -> None:
    found = longest("We CHOP the onions and\nfry them — quickly", SOURCE)
    assert found == Copied(6, 8, "CHOP the onions and\nfry them")
    assert found.share == 0.75


def test_three_words_in_a_row_are_no_copy() -> None:
    assert longest("chop the onions now", SOURCE) is None
    assert longest("", SOURCE) is None
    assert longest("chop the onions and", "") is None


def test_the_longest_of_several_counts() -> None:
    text = "chop the onions and eat. fry them in butter then add. done"
    found = longest(text, SOURCE, "nothing of this")
    assert found is not None
    assert found.text == "fry them in butter then add"


def test_a_copy_does_not_run_on_from_one_source_into_the_next() -> None:
    found = longest(
        "in butter then add salt one two", "in butter then add", "salt one two"
    )
    assert found == Copied(4, 7, "in butter then add")


def test_what_was_asked_for_is_no_copy_but_the_next_one_is() -> None:
    text = "Chop the onions and fry them. And so: then add salt and pepper well"
    sources = (SOURCE, "then add salt and pepper")
    assert longest(text, *sources, unless=("chop the onions and fry them",)) == Copied(
        5, 14, "then add salt and pepper"
    )
    # A part of it still counts where more was copied than was asked for.
    more = longest(text, *sources, unless=("chop the onions and",))
    assert more is not None
    assert more.count == 6


def test_scripts_without_spaces_are_compared_by_character() -> None:
    found = longest("我喜欢先切洋葱再炒", "先切洋葱再炒，然后加盐。")
    assert found is not None
    assert found.count == 6


def test_a_large_source_is_read_in_a_moment() -> None:
    source = " ".join(f"word{n % 5_000} and" for n in range(200_000))
    begun = time.perf_counter()
    assert longest("word1 and word2 and word3 and nothing", source) is not None
    assert time.perf_counter() - begun < patient(10)
