"""Rows of a part of a file: chats, one long text, and how much is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.data.texts.reading import read_table
from finetune.jobs import parts
from finetune.jobs.parts import part_rows
from finetune.recipes.lm import TextRows


def test_of_a_chat_the_last_question_and_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    lines = [
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Good day."},
            {"role": "user", "content": f"{n} + 1?"},
            {"role": "assistant", "content": f"It is {n + 1}."},
            {"role": "user", "content": "Thanks"},
        ]
        for n in range(20)
    ]
    path.write_text("".join(json.dumps({"messages": x}) + "\n" for x in lines))
    data = TextRows(source="rows", path=path, text="{messages}", is_chat=True)
    found, has_more = part_rows(
        read_table(path), data, part="validation", limit=100, draw=0, seed=0
    )
    whole = [{"text": f"{n} + 1?", "answer": f"It is {n + 1}."} for n in range(20)]
    assert found
    assert all(row in whole for row in found)
    assert has_more is False


def test_of_one_long_text_the_beginning_and_its_end_was_kept_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "book.txt"
    text = " ".join(f"word{n}" for n in range(5_000))
    path.write_text(text)
    data = TextRows(
        source="rows", path=path, text="{text}", documents="whole", validation=0.1
    )
    table = read_table(path, documents="whole")
    (kept,), _ = part_rows(table, data, part="validation", limit=9, draw=0, seed=0)
    (train,), _ = part_rows(table, data, part="train", limit=9, draw=0, seed=0)
    assert text.endswith(kept["text"])
    assert text.startswith(train["text"])
    assert train["answer"] is None
    monkeypatch.setattr(parts, "_MOST_CHARACTERS", 100)
    (short,), _ = part_rows(table, data, part="train", limit=9, draw=0, seed=0)
    assert short["text"] == text[:100]
