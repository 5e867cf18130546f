"""Rude words become dots: whole words alone, also while a text is still coming."""

from __future__ import annotations

import pytest

from tests.kit.content import SHIPPED
from webapp.text import rude


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Oh shit, that hurt.", "Oh ••••, that hurt."),
        ("SHIT!", "••••!"),
        ("fück off", "•••• off"),
        ("fu\u0301ck off", "••••• off"),
        ("Du Arsch!", "Du •••••!"),
        ("The class passed a classic assessment in Scunthorpe.", None),
        ("Moby Dick is a whale.", None),
        ("Fuck, fück and fuck.", "••••, •••• and ••••."),
        ("A line.\nShit.\n\nAnother", "A line.\n••••.\n\nAnother"),
        ("s-h-i-t", None),
        ("Sex education is a school subject.", None),
        ("", None),
        ("İ shit", "İ ••••"),
        ("😀 shit 😀", "😀 •••• 😀"),
    ],
)
def test_a_text(text: str, shown: str | None) -> None:
    assert rude.masked(text) == (text if shown is None else shown)


def test_every_word_of_the_library_is_found_wherever_it_stands() -> None:
    library = rude._filter()
    words = [
        word
        for word in library.words
        if " " not in word and library.check_profanity(f"oh {word} so")["profane_words"]
    ]
    assert len(words) > 300
    for word in words:
        for text in (f"oh {word} so", f"“{word.upper()}!”", f"é{word}, <{word}>"):
            found = library.check_profanity(text).get("matches", ())
            is_rude = any(" " not in match["word"] for match in found)
            assert rude.is_in(text) == is_rude, text


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pieces_show_what_the_whole_shows(size: int) -> None:
    text = "Well, shit happens to the class of bastards.\nAnd so on, asshole"
    stream = rude.Stream()
    pieces = [stream.add(text[n : n + size]) for n in range(0, len(text), size)]
    assert "".join([*pieces, stream.end()]) == rude.masked(text)
    shown = ""
    for piece in pieces:
        shown += piece
        assert "sh" not in shown
        assert "as" not in shown.replace("class", "")


def test_a_word_waits_until_it_is_whole() -> None:
    stream = rude.Stream()
    assert stream.add("Hello wor") == "Hello "
    assert stream.add("ld") == ""
    assert stream.end() == "world"
    assert stream.end() == ""


def test_no_password_and_no_shipped_text_is_masked() -> None:
    paths = [
        *(SHIPPED / "words").glob("*.txt"),
        *(SHIPPED / "game").glob("*/*.yaml"),
        *(SHIPPED / "lessons").glob("*/*.md"),
    ]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert rude.masked(text) == text, path
