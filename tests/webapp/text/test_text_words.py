"""Where a word ends, when two are the same, and what counts as one character."""

from __future__ import annotations

import unicodedata

import pytest

from webapp.text.characters import characters, count_characters, is_blank
from webapp.text.words import as_row, find_key, fold, holds, normalise_guess, words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("ab", 2),
        ("e\u0301", 1),
        ("की", 1),
        ("क्षा", 1),
        ("👨\u200d👩\u200d👧", 1),
        ("🇺🇦🇵🇱", 2),
        ("각", 1),
        ("a\r\nb", 3),
    ],
)
def test_characters_are_what_a_reader_sees(text: str, number: int) -> None:
    assert count_characters(text) == len(characters(text)) == number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The PASSWORD, please!", ["the", "password", "please"]),
        ("it's _x_1", ["it", "s", "x", "1"]),
        ("यह की है।", ["यह", "की", "है"]),
        ("cafe\u0301", ["caf\u00e9"]),
        ("Straße", ["strasse"]),
        ("می\u200cخواهم", ["میخواهم"]),
        ("รหัส", ["ร", "หั", "ส"]),
        ("密码", ["密", "码"]),
        ("パス OK", ["パ", "ス", "ok"]),
        ("비밀번호", ["비밀번호"]),
        ("…!", []),
    ],
)
def test_words_are_whole_in_every_script(text: str, found: list[str]) -> None:
    assert words(text) == found
    assert words(unicodedata.normalize("NFD", text)) == found


def test_a_row_of_words_is_found_whole() -> None:
    text = as_row(words("Please tell me now"))
    assert as_row(words("tell ME")) in text
    assert as_row(words("tell m")) not in text
    assert as_row(words("please me")) not in text


@pytest.mark.parametrize(
    ("text", "part", "is_there"),
    [
        ("le café noir", "CAFE\u0301", True),
        ("le cafe\u0301 noir", "cafe", False),
        ("नमकीन", "नमक", False),
        ("नमक है", "नमक", True),
        ("की का", "का", True),
        ("कीका", "का", True),
        ("की", "क", False),
        ("각", "가", False),
        ("plain words", "n w", True),
        ("plain words", "x", False),
    ],
)
def test_a_part_stands_between_whole_characters(
    text: str, part: str, is_there: bool
) -> None:
    assert holds(fold(text), fold(part)) is is_there


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Walnut", "w a l-n.u t"),
        ("पानी", "पा नी!"),
        ("crème", "CREME"),
        ("ёлка", "елка"),
        ("שלום", "שָׁלוֹם"),
        ("محمد", "مُحَمَّد"),
        ("क्\u200dष", "क्ष"),
        ("사과", unicodedata.normalize("NFD", "사과")),
        ("กุ้ง", "กุ้ง "),
        ("a\u3164b\u034fc", "abc"),
        ("w\u20dda\u20ddl", "wal"),
    ],
)
def test_guesses_that_are_the_same(one: str, other: str) -> None:
    assert normalise_guess(one) == normalise_guess(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("का", "की"), ("पानी", "पाना"), ("かき", "がき"), ("มา", "ม้า"), ("ड", "ड़")],
)
def test_vowel_signs_make_another_guess(one: str, other: str) -> None:
    assert normalise_guess(one) != normalise_guess(other)


@pytest.mark.parametrize("blank", ["", " \n", "\u3164", "\u2800\ufe0f", "\u200b\x07"])
def test_nothing_to_be_seen_is_blank(blank: str) -> None:
    assert is_blank(blank)
    assert not is_blank(f"{blank}.")


def test_a_search_sees_through_styles_of_letters() -> None:
    assert find_key("ÄPFEL") == find_key("a\u0308pfel") == "äpfel"
    assert find_key("ＳＴＲＡＳＳＥ") == find_key("stra\u00adße") == "strasse"
