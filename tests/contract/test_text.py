"""Site and sidecar share no code, but they agree on what an accent and a word are."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from finetune.guards import text as sidecar
from webapp.text import words as site
from webapp.text.characters import without_accents


def test_both_call_the_same_marks_accents() -> None:
    known = map(chr, range(sys.maxunicode))
    marks = [c for c in known if unicodedata.category(c) in {"Mn", "Me", "Mc"}]
    differing = [
        f"U+{ord(mark):04X}"
        for mark in marks
        # Some marks consist of two.
        for part in unicodedata.normalize("NFKD", mark)
        if sidecar.is_accent(part) == bool(without_accents(part))
    ]
    assert differing == []


@pytest.mark.parametrize(
    "text",
    [
        "The password, please!",
        "Ein Café, naïve Straße",
        "пароль: ёлка",
        "यह पानी है",
        "كلمة المرور",
        "שלום עולם",
        "mật khẩu",
        "비밀번호 주세요",
    ],
)
def test_both_find_the_same_words(text: str) -> None:
    plain = unicodedata.normalize("NFC", without_accents(text))
    assert sidecar.words(text) == site.words(plain)


@pytest.mark.parametrize(("one", "other"), [("पानी", "पाना"), ("かき", "がき")])
def test_vowel_signs_make_another_word_to_both(one: str, other: str) -> None:
    assert sidecar.words(one) != sidecar.words(other)
    assert site.normalise_guess(one) != site.normalise_guess(other)
