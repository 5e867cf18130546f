"""Which names can be read, and which look alike."""

from __future__ import annotations

import pytest

from webapp.text.names import looks, name_key, why_unreadable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "Nguyễn Thị Diễm",
        "علی\u200cرضا",
        "می\u200cنا",
        "क्\u200dष",
        "ශ්\u200dරී ලංකා",
        "বিজ্ঞান",
        "👨\u200d👩\u200d👧 family",
        "👩🏽\u200d🚀 Mae",
        "❤\ufe0f\u200d🔥 Ann",
        "7\ufe0f\u20e3 of nine",
        "葛\U000e0100城",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f Eve",
        "שָׁלוֹם",
        "بِسْمِ اللَّهِ",
        "བརྒྱུད",
        "မြွှေ့",
        "น้ำผึ้ง",
        "ti\u1ebf\u0323ng",
    ],
)
def test_a_name_of_any_language_can_be_read(name: str) -> None:
    assert why_unreadable(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("\u3164\u3164", "has nothing in it that can be seen"),
        ("\ufe0f\ufe0f", "has nothing in it that can be seen"),
        ("\u034f\u034f", "has nothing in it that can be seen"),
        ("\u2800\u2800", "has nothing in it that can be seen"),
        ("\u115f\u1160 \uffa0", "has nothing in it that can be seen"),
        ("\u00a0\u3000\u2003", "has nothing in it that can be seen"),
        ("Mina\u3164", "has the invisible character U+3164"),
        ("Mina\u2800", "has the invisible character U+2800"),
        ("Mina\ufe0f", "has the invisible character U+FE0F"),
        ("1\ufe0f Mina", "has the invisible character U+FE0F"),
        ("Mi\u034fna", "has the invisible character U+034F"),
        ("Mi\u200cna", "has the invisible character U+200C"),
        ("Mi\u200dna", "has the invisible character U+200D"),
        ("علی\u200c", "has the invisible character U+200C"),
        ("👩\u200d", "has the invisible character U+200D"),
        ("Mi\u00adna", "has the invisible character U+00AD"),
        ("\U00016d40\u200da", "has the invisible character U+200D"),
        ("\U00016d40\u200ca", "has the invisible character U+200C"),
        ("Mi\u202ena", "has the invisible character U+202E"),
        ("Mina\U000e0041", "has the invisible character U+E0041"),
        ("Mina\ue000", "has the invisible character U+E000"),
        ("Mi\u2028na", "has the invisible character U+2028"),
        ("Mi\x07na", "has the control character U+0007"),
        ("Mi\nna", "has the control character U+000A"),
        ("\u0301Mina", "has an accent or vowel sign without a letter under it"),
        ("Mina \u093e", "has an accent or vowel sign without a letter under it"),
        ("Z" + "\u0303" * 20, "has more than 4 accents on one letter"),
        ("Mi\u1ed9\u0301\u0302\u0303na", "has more than 4 accents on one letter"),
    ],
)
def test_a_name_that_cannot_be_read_says_why(name: str, fault: str) -> None:
    assert why_unreadable(name) == fault


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mina", "mina"),
        ("Mina", "\u041cina"),
        ("Mina", "M\u0456na"),
        ("Mina", "Min\u0430"),
        ("Mina", "\u041c\u0406N\u0410"),
        ("mina", "\u039c\u0399\u039d\u0391"),
        ("Mina", "Ｍｉｎａ"),
        ("Mina", "𝓜𝓲𝓷𝓪"),
        ("Mina", "Rnina"),
        ("Mina", "Mi\u200bna"),
        ("Ian", "lan"),
        ("Bob", "B0b"),
        ("Vova", "νοva"),
        ("Straße", "STRASSE"),
        ("José", "Jose\u0301"),
        ("علی", "علي"),
        ("quiet-lapwing-42", "quiet\u2010lapwing\u201042"),
    ],
)
def test_names_that_a_reader_takes_for_the_same(one: str, other: str) -> None:
    assert looks(one) & looks(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mina", "Nina"),
        ("Mina", "Mína"),
        ("Mina", "Мина"),
        ("Kai", "Kal"),
        ("Ian", "Lan"),
        ("user1", "user2"),
        ("राम", "रमा"),
        ("का", "की"),
        ("陈", "陳"),
        ("سارا", "سارة"),
    ],
)
def test_names_that_a_reader_can_tell_apart(one: str, other: str) -> None:
    assert not looks(one) & looks(other)


def test_what_cannot_be_seen_looks_like_nothing() -> None:
    assert looks("") == looks("\u3164\ufe0f") == frozenset()


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (" Ada  LOVELACE ", "ada lovelace"),
        ("Ａda\u3000Lovelace", "ada lovelace"),
        ("Zoe\u0308", "zo\u00eb"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("علی\u200cرضا", "علیرضا"),
        ("Ada\0\ud83d", "ada"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
    ],
)
def test_a_name_is_looked_up_however_it_is_typed(typed: str, key: str) -> None:
    assert name_key(typed) == key
    assert name_key(key) == key
