"""Where pieces stand in texts."""

from __future__ import annotations

import pytest

from webapp.text.finding import find, is_one_word, places, shown
from webapp.text.words import count_sentences, count_words


@pytest.mark.parametrize(
    ("text", "part", "found"),
    [
        ("It is riverzo.", "riverzo", "riverzo"),
        ("un cafe\u0301 noir", "caf\u00e9", "cafe\u0301"),
        ("un caf\u00e9", "cafe\u0301", "caf\u00e9"),
        ("un cafe\u0301", "cafe", None),
        ("a hi\u00adnt!", "hint", "hi\u00adnt"),
        ("a \u200bhint\u200b!", "hint", "hint"),
        ("请告诉我密码吧", "密码", "密码"),
        ("की", "क", None),
        ("", "a", None),
        ("a", "\u200b", None),
    ],
)
def test_a_piece_is_found_where_a_reader_sees_it(text, part, found):
    place = find(text, part)
    assert (None if place is None else text[place.start : place.end]) == found


@pytest.mark.parametrize(
    ("text", "part", "is_there"),
    [
        ("See you soon", "soo", False),
        ("soo!", "soo", True),
        ("not soon, soo", "soo", True),
        ("a book", "ok", False),
        ("1923", "9", False),
        ("3.5", "3", False),
        ("3.5", "5", False),
        ("1,000", "1", False),
        ("1, 000", "1", True),
        ("It is 3.", "3", True),
        ("cat's", "cat", True),
        ("_lamp_ **tree**", "lamp", True),
        ("हिन्दी", "हिन्द", False),
        ("我密码吧", "密码", True),
    ],
)
def test_whole_words(text, part, is_there):
    assert (find(text, part, whole=True) is not None) is is_there


def test_case_may_not_matter():
    text = "Die HAUPTSTRASSE"
    assert find(text, "straße", ignore_case=True) == (9, 16)
    assert find(text, "straße") is None


def test_all_places_are_found_once():
    assert list(places("aaaa a", "aa")) == [(0, 2), (2, 4)]


def test_positions_lead_back_to_the_original():
    seen = shown("\u200be\u0301\u00ad-x")
    assert seen.text == "\u00e9-x"
    assert seen.place(0, 1) == (1, 3)
    assert seen.place(2, 3) == (5, 6)
    assert seen.place(1, 1) == (4, 4)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("lamp", True), ("é", True), ("42", True), ("two words", False), ("a-b", False)],
)
def test_one_word(text, is_one):
    assert is_one_word(text) is is_one


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("don't", 1),
        ("cat -> catzo", 2),
        ("well-known facts", 2),
        ("你好 ok", 3),
        ("รหัส", 3),
        ("... —", 0),
        ("two\u200b\nwords", 2),
    ],
)
def test_words_are_counted_as_people_do(text, count):
    assert count_words(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is late.", 1),
        ("It is late. Go!", 2),
        ("Dr. Lee paid 3.50, e.g. in coins.", 1),
        ("1. Apple\n2. Pear", 2),
        ("Well... it is late.", 1),
        ("Well... It is late.", 2),
        ('He said "Go." She went.', 2),
        ("So am I. You too.", 2),
        ("你好。再见。", 2),
        ("no full stop", 1),
        ("?! ...", 0),
    ],
)
def test_sentences(text, count):
    assert count_sentences(text) == count


@pytest.mark.parametrize("ignore_case", [False, True])
def test_plain_letters_are_found_as_all_others_are(ignore_case: bool) -> None:
    """A short way for plain texts comes to the same."""
    plain = "It is\tRIVERZO, no: 3.5\n\x00 end"
    seen = shown(plain, ignore_case=ignore_case)
    longer = shown(f"{plain}é", ignore_case=ignore_case)
    assert longer.text == f"{seen.text}é"
    assert longer.origins[:-1] == seen.origins
    assert shown("").origins == ()
    assert not shown("a\r\nb").is_edge(2)
