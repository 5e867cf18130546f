"""The shipped sets: the same each time, right, and ready to be trained on."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from pathlib import Path

import pytest

from finetune.data.phrases import PiecesError
from finetune.data.shipped import SETS, write_set
from finetune.data.shipped.grammar import Grammar
from finetune.data.shipped.sets import rows_of
from finetune.data.texts.errors import DataError
from finetune.data.texts.reading import read_table
from finetune.data.texts.report import count_roughly, preview
from finetune.recipes.lm import TextRows

NAMES = sorted(SETS)


def test_what_was_promised_is_there():
    assert NAMES == [
        "instructions", "lorem", "moderation", "questions", "recipes", "reviews", "sql"
    ]  # fmt: skip
    for shipped in SETS.values():
        assert "CC0" in shipped.licence
        assert "finetune/data/shipped" in shipped.licence
        assert shipped.about.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_written_the_same_each_time_and_reads_well(name: str, tmp_path: Path):
    shipped = SETS[name]
    first, second = tmp_path / "first", tmp_path / "second"
    write_set(name, first)
    write_set(name, second)
    assert first.read_bytes() == second.read_bytes()
    assert 300 <= shipped.rows <= 3_000
    table = read_table(first)
    assert (table.format, table.columns) == ("jsonl", shipped.columns)
    assert len(table.rows) == shipped.rows
    assert len({tuple(row.values()) for row in table.rows}) == shipped.rows
    assert table.repaired == 0
    data = TextRows(
        source="rows",
        path=first,
        text=shipped.text,
        answer=shipped.answer,
        is_chat=shipped.is_chat,
    )
    found = preview(table, data, count_tokens=count_roughly, seed=0)
    assert found["text"] == shipped.text
    assert found["report"]["empty"] == found["report"]["exact_duplicates"] == 0
    assert found["report"]["validation"] >= 20
    said = [v["text"] for v in found["report"]["verdicts"] if v["level"] == "error"]
    assert said == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_to_be_filled_in(name: str):
    for row in rows_of(name):
        text = " ".join(row.values())
        assert not re.search(r"[{}]|\ba [aeio]|\ban [bcdfgjklmnpqrstvwxz]", text), row
        assert all("  " not in value for value in row.values())


def test_an_unknown_set_is_told(tmp_path: Path):
    with pytest.raises(DataError, match="no set poems: known are recipes, "):
        write_set("poems", tmp_path / "poems")
    assert not (tmp_path / "poems").exists()


def test_queries_run_and_find_what_was_asked():
    kinds = set()
    for row in rows_of("sql"):
        database = sqlite3.connect(":memory:")
        database.execute(row["schema"])
        table = row["schema"].split()[2]
        columns = [c[1] for c in database.execute(f"PRAGMA table_info({table})")]
        database.execute(
            f"INSERT INTO {table} VALUES ({','.join('?' * len(columns))})",  # noqa: S608 -- ours
            [1_000_000] * len(columns),
        )
        found = database.execute(row["sql"]).fetchall()
        database.close()
        kinds.add(row["sql"].split(" FROM ")[0].split("(")[0])
        if "COUNT(*)" in row["sql"] and "GROUP" not in row["sql"]:
            assert found[0][0] in (0, 1)
        if " > " in row["sql"] and " = " not in row["sql"]:
            assert found[0], row
    assert {"SELECT *", "SELECT COUNT", "SELECT AVG", "SELECT SUM"} <= kinds


def test_answers_to_sums_are_right():
    checked = 0
    for row in rows_of("questions"):
        sum_ = re.search(r"(\d+) ([+-]|plus|minus) (\d+)", row["question"])
        if sum_:
            a, b = int(sum_[1]), int(sum_[3])
            right = a + b if sum_[2] in ("+", "plus") else a - b
            assert row["answer"] == str(right), row
            checked += 1
        letters = re.search(r"[Hh]ow many letters .* (\w+)( have)?\?$", row["question"])
        if letters and letters[2]:
            assert row["answer"] == str(len(letters[1])), row
            checked += 1
    assert checked > 50


def test_instructions_are_there_with_and_without_an_input():
    rows = list(rows_of("instructions"))
    lone = [row for row in rows if not row["input"]]
    assert 200 < len(lone) < len(rows) - 200
    for row in rows:
        if "alphabet" in row["instruction"]:
            assert row["output"] == ", ".join(sorted(row["input"].split(", "))), row
        if "capital" in row["instruction"]:
            assert row["output"] == row["input"].upper(), row


def test_recipes_cook_what_they_list():
    for row in rows_of("recipes"):
        assert row["ingredients"].startswith("- ")
        assert row["steps"].startswith("1. ")
        first = row["ingredients"].split("\n")[0]
        assert re.match(r"- (\d|[a-z])", first), row


def test_labels_and_stars_are_mixed():
    labels = [row["label"] for row in rows_of("moderation")]
    assert set(labels) == {"on topic", "off topic"}
    assert 0.35 < labels.count("on topic") / len(labels) < 0.65
    stars = [row["stars"] for row in rows_of("reviews")]
    assert all(stars.count(str(n)) > 150 for n in range(1, 6))


def test_rules_that_lead_nowhere_are_told(tmp_path: Path):
    path = tmp_path / "rules.yaml"
    path.write_text('greeting: ["Hello {nobody}"]\nother: [1]\n')
    with pytest.raises(PiecesError, match=r"rules\.yaml:2"):
        Grammar(path)
    path.write_text(json.dumps({"greeting": ["Hello {nobody}"]}))
    with pytest.raises(PiecesError, match="no rule nobody"):
        Grammar(path).write("greeting", random.Random(0))
