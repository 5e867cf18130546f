"""Tokens beside the characters of a text."""

from __future__ import annotations

from tests.finetune.data.cutting.strings import random_strings
from tests.kit.tokenizers import tokenizer_client
from webapp.domain.lab.aligning import (
    Part,
    Row,
    Segment,
    Shown,
    byte_token,
    hex_of,
    known_token,
    row,
    segments,
    visible,
)
from webapp.llm.tokenizers import Cut, Known, Piece


def cut(name: str, *places: tuple[int, int], is_exact: bool = True) -> Cut:
    """Return a cut whose tokens are called by their numbers."""
    pieces = tuple(
        Piece(id=number, name=f"n{number}", start=start, end=end)
        for number, (start, end) in enumerate(places)
    )
    return Cut(tokenizer=name, is_exact=is_exact, size=9, pieces=pieces)


def plain(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in parts)


def ids(segment: Segment) -> list[list[int]]:
    return [[token.id for token in column] for column in segment.columns]


def tokens(found: Row) -> list[Shown]:
    return [token for group in found.groups for token in group.tokens]


def test_a_segment_ends_where_all_cut() -> None:
    one = cut("one", (0, 2), (2, 4), (4, 6))
    two = cut("two", (0, 1), (1, 4), (4, 6))
    found = segments("abcdef", [one, two])
    assert [(plain(s.parts), ids(s)) for s in found] == [
        ("abcd", [[0, 1], [0, 1]]),
        ("ef", [[2], [2]]),
    ]


def test_what_is_added_has_a_segment_without_text() -> None:
    added = cut("one", (0, 0), (0, 1), (1, 1))
    found = segments("a", [added, cut("two", (0, 1))])
    assert [(s.content, ids(s)) for s in found] == [
        ("", [[0], []]),
        ("61", [[1], [0]]),
        ("", [[2], []]),
    ]


def test_a_character_is_never_in_two_segments() -> None:
    split = cut("one", (0, 3), (3, 4), (4, 5))
    found = segments(" 🦊", [split, cut("two", (0, 1), (1, 5))])
    assert [plain(s.parts) for s in found] == ["·🦊"]
    accent = cut("one", (0, 1), (1, 3))
    assert len(segments("e\u0301", [accent])) == 1


def test_a_part_of_a_character_is_shown_as_bytes_with_the_whole_beside_it() -> None:
    found = row(" 🦊!", cut("one", (0, 3), (3, 4), (4, 5), (5, 6)), title="One")
    first, second = found.groups
    assert [plain(token.parts) for token in first.tokens] == ["20 F0 9F", "A6", "8A"]
    assert [token.is_split for token in first.tokens] == [True] * 3
    assert plain(first.whole) == "·🦊"
    assert (plain(second.tokens[0].parts), second.whole) == ("!", ())
    assert (found.tokens, found.bytes_per_token) == (4, 1.5)


def test_what_no_token_has_is_lost_and_blanks_only_where_they_count() -> None:
    holes = ((0, 1), (2, 3))
    assert plain(row("a b\x13", cut("one", *holes), title="").lost) == "·U+0013"
    changed = cut("two", *holes, is_exact=False)
    assert plain(row("a b\x13", changed, title="").lost) == "U+0013"


def test_a_changed_text_is_shown_as_the_tokenizer_calls_it() -> None:
    found = row("CAFÉ", cut("two", (0, 5), is_exact=False), title="Two")
    assert [plain(token.parts) for token in tokens(found)] == ["n0"]
    assert tokens(found)[0].content == "43 41 46 C3 89"


def test_what_cannot_be_seen_is_a_sign() -> None:
    assert visible("a \n\t\u200d") == (
        Part("a"),
        *(Part(sign, is_sign=True) for sign in ("·", "⏎", "⇥", "U+200D")),
    )
    assert visible("·") == (Part("·"),)
    assert plain(visible("\u0301")) == "◌\u0301"
    assert visible("") == ()


def test_a_number_without_a_token_has_nothing_to_show() -> None:
    assert known_token(Known(id=5, name=None)).parts == ()
    known = known_token(Known(id=5, name="Ġa", content="2061"))
    assert (plain(known.parts), known.content) == ("·a", "20 61")
    assert plain(known_token(Known(id=5, name="##ing")).parts) == "##ing"
    assert byte_token(b"\xf0").is_split


def test_rows_and_segments_of_any_text_are_whole() -> None:
    client = tokenizer_client()
    names = ["smollm2", "minilm", "characters"]
    for text in random_strings(120, seed=5):
        cuts = client.cut(text, tokenizers=names, marks=True)
        found = segments(text, cuts)
        whole = " ".join(s.content for s in found if s.content)
        assert whole == hex_of(text.encode())
        for place, one in enumerate(cuts):
            given = [token.id for s in found for token in s.columns[place]]
            assert given == [piece.id for piece in one.pieces]
            assert [token.id for token in tokens(row(text, one, title=""))] == given
