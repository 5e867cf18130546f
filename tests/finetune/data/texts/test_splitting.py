"""Three parts of texts: nothing lost, and nothing that is judged was learned."""

from __future__ import annotations

import random
from itertools import chain

import pytest

from finetune.data.texts.duplicates import count_exact, count_near
from finetune.data.texts.errors import DataError
from finetune.data.texts.rendering import Rendered
from finetune.data.texts.splitting import Split, key, split, take


def texts(*found: str) -> list[Rendered]:
    return [Rendered(text) for text in found]


def parts(found: Split) -> list[list[str]]:
    sides = (found.train, found.validation, found.test)
    return [[each.text for each in side] for side in sides]


def disguise(text: str, rng: random.Random) -> str:
    """Return what only looks different."""
    text = rng.choice([text, text.upper(), text.title(), text.replace("i", "I")])
    spaced = text.replace(" ", rng.choice([" ", "  ", "\n", " \t", "\u00a0"]))
    return rng.choice(["", " ", "\n"]) + spaced + rng.choice(["", "  "])


@pytest.mark.parametrize("seed", range(25))
def test_equal_texts_are_in_one_part_and_none_is_lost(seed: int):
    rng = random.Random(seed)
    different = [f"text {n} is {rng.random()}" for n in range(rng.randint(5, 60))]
    given = [disguise(rng.choice(different), rng) for _ in range(rng.randint(40, 200))]
    given += different
    rng.shuffle(given)
    found = split(texts(*given), validation=0.2, test=0.1, seed=seed)
    dealt = parts(found)
    assert sorted(chain(*dealt)) == sorted(given)
    keys = [{key(Rendered(text)) for text in part} for part in dealt]
    assert all(keys)
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]


def test_wide_and_narrow_letters_are_equal():
    assert key(Rendered("ﬁne Ｃａｆé")) == key(Rendered("FINE  cafe\u0301"))
    assert key(Rendered("a b")) != key(Rendered("ab"))


def test_only_what_the_row_gave_makes_it_equal():
    same = Rendered("Title: x", content="x"), Rendered("TITLE: x!", content="X")
    assert key(same[0]) == key(same[1])
    assert key(Rendered("q", " a")) != key(Rendered("q", " b"))


def test_shares_are_kept_and_order_does_not_matter():
    given = texts(*(f"text {n}" for n in range(200)))
    found = split(given, validation=0.1, test=0.05, seed=3)
    assert [len(part) for part in parts(found)] == [170, 20, 10]
    back = split(given[::-1], validation=0.1, test=0.05, seed=3)
    assert [sorted(part) for part in parts(back)] == [sorted(p) for p in parts(found)]
    assert found.train == [each for each in given if each in found.train]


def test_the_seed_decides():
    given = texts(*(f"text {n}" for n in range(100)))
    first, again, other = (
        split(given, validation=0.1, test=0.1, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.test != other.test


def test_no_test_part_where_none_is_wanted():
    found = split(texts("a", "b", "c"), validation=0.1, test=0, seed=0)
    assert [len(part) for part in parts(found)] == [2, 1, 0]
    found = split(texts("a", "b", "c"), validation=0.1, test=0.1, seed=0)
    assert [len(part) for part in parts(found)] == [1, 1, 1]


def test_empty_texts_are_dropped():
    found = split(texts("a", "", "b", " \n", "c"), validation=0.1, test=0.1, seed=0)
    assert sorted(chain(*parts(found))) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "given",
    [(), ("a", "b"), ("a", "A", " a", "b"), ("", "a"), ("one",), ("", " ")],
)
def test_too_little_is_told(given: tuple[str, ...]):
    with pytest.raises(DataError, match=r"too little|too short"):
        split(texts(*given), validation=0.1, test=0.1, seed=0)


def test_impossible_shares_are_told():
    given = texts(*(f"text {n}" for n in range(10)))
    with pytest.raises(DataError, match="judge by"):
        split(given, validation=0, test=0.1, seed=0)
    with pytest.raises(DataError, match="less than 1"):
        split(given, validation=0.6, test=0.4, seed=0)
    with pytest.raises(DataError, match="too little"):
        split(given, validation=0.5, test=0.49, seed=0)


# One long text


def story(paragraphs: int, end: str = "\n\n") -> str:
    rng = random.Random(paragraphs)
    return end.join(
        " ".join(
            f"Word{rng.randint(0, 99)} is here." for _ in range(rng.randint(5, 30))
        )
        for _ in range(paragraphs)
    )


@pytest.mark.parametrize("end", ["\n\n", "\n", " "])
def test_a_long_text_is_cut_in_order(end: str):
    text = story(100, end)
    found = split(texts(text), validation=0.1, test=0.1, seed=7)
    assert [len(part) for part in parts(found)] == [1, 1, 1]
    learned, judged, locked = (part[0] for part in parts(found))
    assert learned + locked + judged == text
    for part in (judged, locked):
        assert 0.06 < len(part) / len(text) < 0.14
        assert part.startswith("Word")
    assert learned.endswith(end) or end == " "
    assert found == split(texts(text), validation=0.1, test=0.1, seed=8)


def test_a_long_text_without_spaces_is_cut_too():
    found = split(texts("好" * 1000), validation=0.1, test=0, seed=0)
    assert [len(part[0]) for part in parts(found)[:2]] == [900, 100]
    assert found.test == []


# Fewer rows


def test_fewer_rows_are_among_more():
    given = texts(*(f"text {n}" for n in range(100)))
    taken = [take(given, most, seed=5) for most in (10, 50, 100, 1000, None)]
    assert [len(each) for each in taken] == [10, 50, 100, 100, 100]
    assert set(taken[0]) < set(taken[1]) < set(taken[2])
    assert taken[1] == [each for each in given if each in taken[1]]
    assert take(given, 10, seed=6) != taken[0]


# Rows that repeat others


def test_duplicates_are_counted():
    assert count_exact(["a", "b", "a", "a"]) == 2
    assert count_exact([]) == 0


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(f"word{rng.randint(0, 999)}" for _ in range(words))


def test_near_duplicates_are_counted():
    rng = random.Random(0)
    base = [sentence(rng, 60) for _ in range(50)]
    near = [f"{text} end" for text in base[:20]]
    found = count_near([*base, *near, *base[:7]], seed=0)
    assert found == (20, 70)
    assert count_near(base, seed=0).repeats == 0
    half = [f"{' '.join(text.split()[:30])} {sentence(rng, 30)}" for text in base]
    assert count_near([*base, *half], seed=0).repeats == 0
    assert count_near([], seed=0) == (0, 0)


def test_near_duplicates_without_spaces_and_of_one_word():
    rng = random.Random(0)
    text = "".join(chr(rng.randint(0x4E00, 0x9000)) for _ in range(100))
    assert count_near([text, f"{text}好"], seed=0).repeats == 1
    assert count_near(["a", "b", "ab", "yes", "no"], seed=0).repeats == 0


def test_of_many_rows_a_sample_is_compared():
    found = count_near([f"row {n} {n * 7} {n % 13}" for n in range(6000)], seed=0)
    assert found.compared == 5000
