"""Which language a text is in, and which of its words no list knows."""

from __future__ import annotations

import pytest

from webapp.domain.train.spelling import language_of, spelling
from webapp.text.wordlists import word_set


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I cook a good soup with potatoes and onions?", "en"),
        ("Wie koche ich eine gute Suppe mit Kartoffeln und Zwiebeln?", "de"),
        ("Comment est-ce que je prépare une bonne soupe avec des oignons ?", "fr"),
        ("ROMEO:", "en"),
        ("как сварить суп из картошки и лука", None),
        ("汤里放什么菜好", None),
        ("xqv zzkw vvbn qqrt wwxz ppqk", None),
        ("12 + 30 = 42", None),
    ],
)
def test_the_language_of_a_text(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_each_unknown_word_once_in_the_order_of_the_text() -> None:
    found = spelling("zzq teh soup, teh zzq.", language="en", also=())
    assert found.unknown == ("zzq", "teh")
    assert found.looked_at == 5


def test_german_words_are_not_english() -> None:
    assert spelling("Die zwiebeln sind gut.", language="de", also=()).unknown == ()
    assert (
        "zwiebeln" in spelling("Die zwiebeln sind gut.", language="en", also=()).unknown
    )


def test_words_are_known_however_their_apostrophe_is_typed() -> None:
    also = word_set("The cook’s'nt kombu")
    assert also == {"the", "cook's'nt", "kombu"}
    assert spelling("the cook's'nt kombu.", language="en", also=also).unknown == ()
