"""Benchmarks by lm-eval, on a set that is at hand; without lm-eval it says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from finetune.__main__ import main as finetune_main
from finetune.evaluation.tasks import TasksError, find_model, open_tasks, results_file
from finetune.settings import Settings, load_settings
from finetune.weights.base import load_base
from tests.finetune.tiny_models import write_tiny

TASK = """\
task: farm
dataset_path: json
dataset_kwargs: {data_files: {test: FILE}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: choices
doc_to_target: answer
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 3}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({}, instance=tmp_path / "instance")


def test_without_lm_eval_it_says_what_to_type(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    given = ["tasks", "smollm2", "--tasks", "arc_easy", "--instance"]
    assert finetune_main([*given, str(settings.instance)]) == 2
    said = capsys.readouterr().err
    assert f"{sys.executable} -m pip install 'lm-eval" in said
    assert not (settings.instance / "tasks").exists()


def test_only_language_models_of_this_installation_are_asked(
    settings: Settings,
) -> None:
    for name in ("gate", "minilm", "nothing"):
        with pytest.raises(TasksError, match="take one of "):
            find_model(name, settings)
    found = find_model("warden", settings)
    # What is shipped stays as it is.
    assert results_file(found, settings) == settings.instance / "tasks/warden.json"


def test_a_number_of_questions_is_a_whole_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for text in ("0", "many", "1.5"):
        with pytest.raises(SystemExit):
            finetune_main(["tasks", "x", "--tasks", "y", "--limit", text])
        assert "not a whole number from 1" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")
def test_a_set_of_ones_own_is_asked(tmp_path: Path) -> None:
    pytest.importorskip("lm_eval", reason="lm-eval is an extra, not in the locks")
    rows = [
        {
            "question": f"What does cow {n} say?",
            "choices": ["moo", "miaow"],
            "answer": 0,
        }
        for n in range(6)
    ]
    file = tmp_path / "farm.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "farm.yaml").write_text(TASK.replace("FILE", str(file)))
    with pytest.raises(TasksError, match="no task barn"):
        open_tasks(["farm", "barn"], tmp_path)
    tasks = open_tasks(["farm"], tmp_path)
    base = load_base(
        str(write_tiny(tmp_path / "tiny", "llama", ["a cow says moo"] * 9)),
        cache=tmp_path,
    )
    found = tasks.ask(base, limit=4)
    assert found["questions"] == {"farm": 4}
    assert found["versions"] == {"farm": 3}
    assert 0 <= found["tasks"]["farm"]["acc"] <= 1
    assert found["tasks"]["farm"]["acc_stderr"] >= 0
    file.unlink()
    with pytest.raises(TasksError, match="farm cannot be read"):
        open_tasks(["farm"], tmp_path)
