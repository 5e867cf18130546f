"""A report says what is in the data, in figures and in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.data.texts.errors import DataError
from finetune.data.texts.reading import read_table
from finetune.data.texts.rendering import Rendered
from finetune.data.texts.report import count_roughly, describe, find_scripts, preview
from finetune.data.texts.table import Table
from finetune.recipes.lm import TextRows

RECIPES = [
    f"Recipe {n}: cook {n % 7} eggs for {n} minutes in pan {n}" for n in range(300)
]


def settings(**given) -> TextRows:
    return TextRows(source="rows", path=Path("file"), **given)


def table(rows: list[dict[str, str]], repaired: int = 0) -> Table:
    return Table(tuple(rows[0]), rows, "jsonl", "utf-8", repaired)


def words(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def report(texts: list[str], *, repaired: int = 0, budget: int | None = None, **given):
    found = describe(
        table([{"text": text} for text in texts], repaired),
        settings(**given),
        count_tokens=words,
        seed=0,
        budget=budget,
    )
    json.dumps(found)
    return found


def said(found, level: str | None = None) -> str:
    verdicts = found["verdicts"]
    return "\n".join(v["text"] for v in verdicts if level in (None, v["level"]))


def test_figures_are_those_of_the_rows():
    found = report([*RECIPES, "", " ", RECIPES[0].upper()])
    assert (found["rows"], found["empty"], found["exact_duplicates"]) == (303, 2, 1)
    assert found["train"] + found["validation"] + found["test"] == 301
    assert 29 <= found["validation"] <= 31
    # Each has eleven words, and one token more ends it.
    assert found["tokens"] == 301 * 12
    assert found["tokens_per_epoch"] == found["train"] * 12
    assert not found["tokens_estimated"]
    assert found["bytes"] == sum(map(len, [*RECIPES, RECIPES[0]]))
    lengths = found["lengths"]
    assert (lengths["median"], lengths["p95"]) == (12, 12)
    assert sum(lengths["counts"]) == 301
    assert len(lengths["edges"]) == len(lengths["counts"]) + 1
    assert found["scripts"] == {"Latin": 1.0}
    assert list(found["languages"]) == ["English"]


def test_lengths_are_between_their_edges():
    found = report([" ".join(["word"] * n) for n in range(1, 400)])["lengths"]
    assert sum(found["counts"]) == 399
    assert found["edges"] == sorted(set(found["edges"]))
    assert (found["edges"][0], found["edges"][-1]) == (2, 401)


def test_good_data_is_called_good():
    long = [
        f"{text} {' '.join(str(n * k) for k in range(40))}"
        for n, text in enumerate(RECIPES)
    ]
    assert said(report(long)) == "Nothing looks wrong with this data."


def test_what_is_wrong_is_said_in_words():
    assert "too little to judge by: 2 texts with 24 tokens" in said(
        report(RECIPES[:20])
    )
    assert "only 2,880 tokens to learn from" in said(report(RECIPES), "warning")
    assert "2 rows are empty and left out" in said(report([*RECIPES, "", " "]))
    found = report([*RECIPES, *RECIPES[:100]])
    assert "100 rows repeat another word for word" in said(found, "warning")
    assert "1 row repeats another" in said(report([*RECIPES, RECIPES[5]]), "good")
    assert "7 rows had broken characters" in said(report(RECIPES, repaired=7))
    found = report([*RECIPES, "word " * 3000])
    assert "1 row is very long, up to 3,001 tokens" in said(found)
    half = ["Это простой русский текст номер " + str(n) for n in range(300)]
    assert "languages: mostly Russian, 47 % English" in said(report([*RECIPES, *half]))
    numbers = [f"{n} алло" for n in range(300)]
    assert "several scripts: Latin, Cyrillic" in said(report([*RECIPES, *numbers]))
    german = [f"Rezept {n}: koche die Eier und rühre in der Pfanne" for n in range(100)]
    found = report([*RECIPES, *german])
    assert "several languages: mostly English, 25 % German. A small model" in said(
        found
    )
    assert found["language"] == "mostly English, 25 % German"
    near = [f"{text} now" for text in RECIPES[:50]]
    assert "almost the same as another" in said(report([*RECIPES, *near]))


def test_a_budget_below_one_epoch_is_told():
    found = report(RECIPES, budget=288)
    assert "the model sees about 10 % of the texts once" in said(found)
    assert "sees about" not in said(report(RECIPES, budget=1_000_000))


def test_too_little_to_split_is_an_error_and_still_a_report():
    found = report(["one text", "another text"])
    assert [v["level"] for v in found["verdicts"]] == ["error"]
    assert "2 different texts" in said(found, "error")
    assert (found["train"], found["validation"], found["test"]) == (0, 0, 0)
    assert found["tokens"] == 6


def test_most_rows_counts_for_learning_only():
    found = report(RECIPES, most_rows=50)
    assert (found["train"], found["validation"]) == (50, 30)


def test_what_does_not_fit_is_an_error():
    with pytest.raises(DataError, match="no column"):
        report(RECIPES, text="{title}")


def test_one_long_text(tmp_path: Path):
    path = tmp_path / "story.txt"
    path.write_text("\n\n".join(RECIPES * 40))
    whole = read_table(path, documents="whole")
    found = describe(whole, settings(documents="whole"), count_tokens=words, seed=0)
    assert (found["train"], found["validation"], found["test"]) == (1, 1, 1)
    assert found["tokens_per_epoch"] == pytest.approx(0.8 * found["tokens"], rel=0.05)
    assert "one long text" in said(found, "good")
    assert said(found, "warning") == ""


def test_of_much_text_a_sample_is_counted():
    counted = 0

    def count(texts: list[str]) -> list[int]:
        nonlocal counted
        counted += len(texts)
        return words(texts)

    rows = table([{"text": f"{text} {n}"} for n in range(20) for text in RECIPES])
    found = describe(rows, settings(), count_tokens=count, seed=0)
    assert counted == 2_000
    assert found["tokens_estimated"]
    assert found["tokens"] == pytest.approx(6_000 * 13, rel=0.02)
    assert sum(found["lengths"]["counts"]) == 2_000


def test_scripts_are_told_apart():
    mixed = "Hello Привет 你好 مرحبا नमस्ते γειά 1234 !?"
    found = find_scripts([Rendered(mixed)])
    assert set(found) == {"Latin", "Cyrillic", "Han", "Arabic", "Devanagari", "Greek"}
    assert sum(found.values()) == pytest.approx(1, abs=0.01)
    assert find_scripts([Rendered("12 + 3")]) == {}
    assert find_scripts([]) == {}


def test_a_preview_shows_rows_by_chance_and_how_they_are_written():
    rows = table(
        [
            {"name": f"Name {n}", "body": "" if n % 2 else "text " * 200}
            for n in range(100)
        ]
    )
    data = settings(text="{name}:", answer=" {body}")
    found = preview(rows, data, count_tokens=count_roughly, seed=0, rows=3)
    json.dumps(found)
    assert found["columns"] == ["name", "body"]
    assert (found["text"], found["answer"]) == ("{name}:", " {body}")
    assert (found["rows"], len(found["preview"]), len(found["rendered"])) == (100, 3, 3)
    for row, written in zip(found["preview"], found["rendered"], strict=True):
        assert written["text"] == f"{row['name']}:"
        assert written["answer"].startswith(" text")
        assert len(row["body"]) == 401
    again = preview(rows, data, count_tokens=count_roughly, seed=0, rows=3)
    other = preview(rows, data, count_tokens=count_roughly, seed=1, rows=3)
    assert found == again
    assert found["preview"] != other["preview"]
    assert found["report"]["empty"] == 50
    assert found["suggestion"]["text"] == "{name}"


def test_alpaca_and_chats_are_suggested():
    rows = table(
        [{"instruction": f"Do {n}.", "input": "", "output": "ok"} for n in range(9)]
    )
    found = preview(rows, settings(), count_tokens=count_roughly, seed=0)
    assert found["suggestion"]["text"] == "alpaca"
    assert found["text"] == "{instruction}"


def test_tokens_are_estimated_where_there_is_no_tokenizer():
    assert count_roughly(["", "a", "abcd", "abcde", "ä" * 4]) == [0, 1, 1, 2, 2]
