"""Lines of about the same width, without what no picture can show."""

from __future__ import annotations

from webapp.text.wrapping import wrapped


def test_words_stay_whole_and_lines_stay_short() -> None:
    lines = wrapped("one two three\n\nfour", columns=7, lines=9)
    assert lines == ("one two", "three", "four")


def test_a_long_word_is_cut_and_wide_letters_count_twice() -> None:
    assert wrapped("abcdefgh ij", columns=5, lines=9) == ("abcde", "fgh", "ij")
    assert wrapped("猫犬鳥魚", columns=4, lines=9) == ("猫犬", "鳥魚")


def test_more_than_fits_ends_with_an_ellipsis() -> None:
    assert wrapped("one two three four", columns=5, lines=2) == ("one", "two…")
    assert wrapped("12345 12345", columns=5, lines=1) == ("1234…",)


def test_what_xml_cannot_hold_is_left_out() -> None:
    assert wrapped("a\x00b\x1b\ufffe c\td\r\n", columns=9, lines=1) == ("ab c d",)
    assert wrapped(" \n", columns=9, lines=1) == ()
