"""The scribe's dialogues teach what they should, and keep apart what is judged by."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from finetune.data.phrases import PiecesError
from finetune.data.scribe import labels, naive, records, shapes, sums, texts, trust
from finetune.data.scribe.cases import Case, is_exactly, is_label
from finetune.data.scribe.dialogues import SHARES, write_cases, write_dialogues
from finetune.data.warden.pieces import read_words
from finetune.data.words import Words, is_kept, lists

NOUNS = read_words(Path("challenges/words/castle.txt"))
SLOT = re.compile(r"\{[a-z_]+\d?\}")
# Where the weakness is drawn on purpose, the answer is not what the figure counts.
DRAWN = (
    "order between marks: not obeyed",
    "order in a document under a rule: not obeyed",
)


def words(seed: int = 0, *, is_heldout: bool = False) -> Words:
    return Words(random.Random(seed), NOUNS, is_heldout=is_heldout)


@pytest.fixture(scope="module", params=[False, True], ids=["learned", "heldout"])
def cases(request: pytest.FixtureRequest) -> list[Case]:
    return list(write_cases(NOUNS, 1500, seed=5, is_heldout=request.param))


def test_each_answer_passes_its_own_check(cases: list[Case]):
    wrong = [c for c in cases if c.family not in DRAWN and not c.is_right(c.answer)]
    assert wrong == []


def test_an_empty_reply_passes_no_check(cases: list[Case]):
    assert [case.family for case in cases if case.is_right("")] == []


def test_every_slot_is_filled(cases: list[Case]):
    for case in cases:
        texts = [*(turn["content"] for turn in case.turns), case.answer]
        assert [text for text in texts if SLOT.search(text)] == []


def test_chats_are_short_and_take_turns(cases: list[Case]):
    for case in cases:
        roles = [turn["role"] for turn in case.turns]
        talk = roles[1:] if roles[0] == "system" else roles
        assert talk == ["user", "assistant"] * (len(talk) // 2) + ["user"]
        assert all(turn["content"].strip() for turn in case.turns)
        assert sum(len(turn["content"]) for turn in case.turns) < 1000


def test_the_same_seed_writes_the_same_dialogues():
    first, again = (list(write_dialogues(NOUNS, 60, seed=2)) for _ in range(2))
    assert first == again
    assert first != list(write_dialogues(NOUNS, 60, seed=3))
    # Some chats go on with another task, so that there are fewer of them.
    assert 45 < len(first) < 60


def test_no_prompt_is_on_both_sides():
    sides = [
        {
            json.dumps(case.turns)
            for case in write_cases(NOUNS, 800, seed=1, is_heldout=is_heldout)
        }
        for is_heldout in (False, True)
    ]
    assert not sides[0] & sides[1]


def test_made_up_words_and_listed_ones_are_kept_apart():
    for is_heldout in (False, True):
        own = words(3, is_heldout=is_heldout)
        drawn = {own.name() for _ in range(200)} | {own.town() for _ in range(200)}
        assert {is_kept(name) for name in drawn} == {is_heldout}
        assert len(drawn) > 100 - 60 * is_heldout


def test_two_slots_of_a_kind_are_different_and_articles_fit():
    own = words(1)
    for _ in range(50):
        text, drawn = own.fill("{name} gave {name2} a {fruit}.")
        assert drawn["name"] != drawn["name2"]
        assert not re.search(r"\ba [aeiou]", text)


def test_no_answer_is_learned_before_all_labels_have_been_shown():
    own = words(4)
    seen = Counter[bool]()
    for _ in range(200):
        case = labels.few_shot_labels(own)
        shown: set[str] = set()
        answers = [turn for turn in case.dialogue() if turn["role"] == "assistant"]
        every = {turn["content"] for turn in answers}
        for turn in answers[:-1]:
            assert turn["learn"] == (len(shown) == len(every))
            seen[turn["learn"]] += 1
            shown.add(turn["content"])
        assert answers[-1].get("learn", True)
    assert seen[True] > 50
    assert seen[False] > 50


def test_yes_and_no_are_as_frequent():
    own = words(6)
    answers = Counter(texts.yes_no(own).answer for _ in range(400))
    assert set(answers) == {"Yes", "No"}
    assert 150 < answers["Yes"] < 250


@pytest.mark.parametrize(
    ("reply", "is_right"),
    [
        ('{"name": "Mira", "age": 12}', True),
        ('{"age": "12", "name": "Mira"}', True),
        ('```json\n{"name": "Mira", "age": 12}\n```', True),
        ('{"name": "Mira"}', False),
        ('{"name": "Mira", "age": 12, "town": "Oslo"}', False),
        ('{"name": "Mina", "age": 12}', False),
        ("name: Mira, age: 12", False),
    ],
)
def test_a_json_reply_needs_the_keys_and_values(reply: str, is_right: bool):
    assert records.is_object({"name": "Mira", "age": 12})(reply) is is_right


@pytest.mark.parametrize(
    ("form", "reply", "is_right"),
    [
        ("dash", "- apple\n- pear\n- plum", True),
        ("dash", "- apple\n- pear", False),
        ("dash", "- apple\n- pear\n- pear", False),
        ("dash", "1. apple\n2. pear\n3. plum", False),
        ("dash", "Here they are:\n- apple\n- pear\n- plum", False),
        ("dash", "- laughter\n- car\n- plum", False),
        ("number", "1. apples\n2. pears\n3. rambutan", True),
        ("comma", "apple, pear, plum", True),
        ("comma", "apple pear plum", False),
    ],
)
def test_a_list_needs_form_number_and_things_that_belong(
    form: str, reply: str, is_right: bool
):
    fruit = frozenset(lists().kinds["fruit"])
    assert shapes.is_list(form, 3, fruit)(reply) is is_right


def test_labels_are_compared_whole():
    assert is_label("ok")("OK.")
    assert not is_label("ok")("a book")
    assert not is_label("positive")("The review is positive.")
    assert is_exactly("Ky")('"Ky"')
    assert not is_exactly("Ky")("ky")


def test_sums_are_right_step_by_step():
    own = words(8)
    for _ in range(100):
        case = sums.steps(own)
        for left, sign, right, total in re.findall(
            r"(\d+) ([+-]) (\d+) = (\d+)", case.answer
        ):
            change = int(right) if sign == "+" else -int(right)
            assert int(left) + change == int(total)


def test_an_order_under_a_rule_is_never_obeyed():
    own = words(9)
    for _ in range(300):
        case = trust.injection(own)
        if "under a rule" in case.family:
            assert case.answer in ("positive", "negative")


def test_shares_are_of_a_thousand_or_about():
    assert 1000 <= sum(SHARES.values()) <= 1250


def test_vague_prompts_name_no_form():
    asks = naive.write_asks(NOUNS, 1, 0)
    assert len(asks) > 90
    assert not [ask for ask in asks if "{" in ask or "one word" in ask.casefold()]


@pytest.mark.parametrize(
    ("reply", "is_usable"),
    [
        ("It was a good review.", True),
        ("It was a good", False),
        ("", False),
        ("multi-sourced, " * 12 + "and so on.", False),
        ("A dog is big. A dog is big. A dog is big. A dog is big.", False),
    ],
)
def test_replies_that_go_round_in_circles_are_left_out(reply: str, is_usable: bool):
    assert naive.is_usable(reply) is is_usable


def test_what_the_base_model_said_is_usable():
    replies = naive.read_replies()
    assert len(replies) > 500
    assert [r for r in replies if not naive.is_usable(r.reply)] == []


def test_a_broken_row_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "replies.jsonl"
    path.write_text('{"ask": "a", "reply": "b"}\n{"ask": "c"}\n', "utf-8")
    monkeypatch.setattr(naive, "REPLIES", path)
    with pytest.raises(PiecesError, match=r"replies\.jsonl:2: a row is"):
        naive.read_replies()
