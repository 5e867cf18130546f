"""Small requests are answered rightly, and not the ones that a warden is judged by."""

from __future__ import annotations

import random
import re

import pytest

from finetune.data.warden.chores import Chore, write_chore
from finetune.data.warden.pieces import HINTS, read_answers, read_hints
from finetune.data.words import Words, lists
from finetune.evaluation.talk import ORDINARY
from finetune.evaluation.warden import is_refusal

MEANINGS = {hint.word: hint.description for hint in read_hints(HINTS)}


def bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


@pytest.fixture(scope="module")
def written() -> list[Chore]:
    words = Words(random.Random(1), tuple(MEANINGS), is_heldout=False)
    return [write_chore(words, MEANINGS) for _ in range(20_000)]


def test_nothing_is_left_to_fill_in_and_nothing_is_refused(written: list[Chore]):
    for chore in written:
        assert not re.search(r"\{\w+\}", chore.ask + chore.answer), chore
        # "Refuse" is the opposite of "accept".
        assert not is_refusal(re.sub(r'"\w+"', "", chore.answer)), chore


def test_sums_are_right(written: list[Chore]):
    signs = {"plus": "+", "minus": "-", "times": "*"}
    sums = [re.fullmatch(r"What is (\d+) (\w+) (\d+)\?", c.ask) for c in written]
    checked = 0
    for chore, match in zip(written, sums, strict=True):
        if not match or match[2] not in signs or int(match[1]) > 100:
            continue
        right = {"plus": int.__add__, "minus": int.__sub__, "times": int.__mul__}
        wanted = right[match[2]](int(match[1]), int(match[3]))
        assert str(wanted) in re.findall(r"\d+", chore.answer)
        checked += 1
    assert checked > 100


def test_lists_have_as_many_things_as_were_asked_for_and_none_twice(
    written: list[Chore],
):
    checked = 0
    for chore in written:
        match = re.fullmatch(r"Name (two|three|four|five) (\w+)s\.", chore.ask)
        if not match or match[2] not in lists().kinds:
            continue
        things = lists().kinds[match[2]]
        named = [t for t in things if re.search(rf"\b{t}\b", chore.answer, re.I)]
        assert len(named) >= {"two": 2, "three": 3, "four": 4, "five": 5}[match[1]]
        checked += 1
    assert checked > 30


def test_what_is_judged_by_is_not_learned(written: list[Chore]):
    lines = ORDINARY.read_text("utf-8").splitlines()
    judged = {bare(line) for line in lines if line and line[0] != "#"}
    assert len(judged) == 100
    assert judged.isdisjoint(bare(a) for talk in read_answers() for a in talk.asks)
    assert judged.isdisjoint(bare(chore.ask) for chore in written)
