"""The everyday questions: each has one right answer, at a place that tells nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[3] / "finetune/data/everyday"


def test_each_question_can_be_answered():
    task = yaml.safe_load((FOLDER / "everyday.yaml").read_text("utf-8"))
    path = FOLDER.parents[2] / task["dataset_kwargs"]["data_files"]["test"]
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len({row["question"] for row in rows}) == len(rows) == 120
    for row in rows:
        assert len({*row["choices"]}) == 4, row
    places = Counter(row["answer"] for row in rows)
    assert places == dict.fromkeys(range(4), 30)
