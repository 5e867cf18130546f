"""Benchmarks by lm-eval, on a set that is at hand; without lm-eval it says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from finetune.__main__ import main as finetune_main
from finetune.evaluation.tasks import (
    TasksError,
    base_place,
    beside,
    find_model,
    keep_results,
    open_tasks,
    read_results,
    results_file,
)
from finetune.releasing.student import release_run
from finetune.settings import Settings, load_settings
from finetune.weights.base import load_base
from finetune.weights.benchmarks import RESULTS, read_benchmarks
from finetune.weights.releases import CARD
from tests.finetune.releasing.test_student import trained
from tests.finetune.tiny_models import write_tiny
from tests.finetune.training.student import texts

__all__ = ["texts"]  # a fixture
# Written by lm-eval 0.4.13 about SmolLM2, without its settings and the machine.
WRITTEN = Path(__file__).parent / "lm_eval_results.json"
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
    assert base_place(found) == find_model("smollm2", settings).place
    assert base_place(find_model("smollm2", settings)) is None


def test_results_are_read_as_lm_eval_writes_them() -> None:
    asked = json.loads(WRITTEN.read_text("utf-8"))
    found = {
        one.task: one for one in read_results(asked, is_chat=True, version="0.4.13")
    }
    assert set(found) == set(asked["results"])
    farm = found["farm"]
    assert (farm.questions, farm.version, farm.is_chat) == (4, "3", True)
    assert farm.figures == {
        name.removesuffix(",none"): value
        for name, value in asked["results"]["farm"].items()
        if isinstance(value, float)
    }
    assert farm.figures["acc_norm"] == 0.5
    assert farm.figures["acc_norm_stderr"] > 0
    # Where it has no standard error, it writes N/A.
    assert set(found["farm_text"].figures) == {"word_perplexity", "bits_per_byte"}


def test_they_are_kept_with_the_model_that_they_are_of_and_what_it_began_as(
    texts, tiny_base: Path, settings: Settings, tmp_path: Path
) -> None:
    models = settings.instance / "models"
    lora = {"rank": 4, "alpha": 8}
    for name, base in (("king", tiny_base), ("fresh-king", "fresh")):
        chosen = {"lora": lora} if base == tiny_base else {}
        release_run(trained(tmp_path / name, base, **chosen), models, name, about={})
    entry = find_model("king", settings)
    assert base_place(entry) == str(tiny_base)
    assert base_place(find_model("fresh-king", settings)) is None
    asked = json.loads(WRITTEN.read_text("utf-8"))
    now = read_results(asked, is_chat=False, version="0.4.13")
    asked["results"]["farm"]["acc_norm,none"] = 0.25
    was = read_results(asked, is_chat=False, version="0.4.13")
    path = keep_results(entry, settings, beside(now, was))
    assert path == models / "king" / RESULTS
    farm = next(one for one in read_benchmarks(path) if one.task == "farm")
    assert (farm.base["acc_norm"], farm.figures["acc_norm"]) == (0.25, 0.5)
    card = path.with_name(CARD).read_text("utf-8")
    assert "| farm | 4 | acc_norm | 0.250 ± 0.289 | 0.500 ± 0.289 |" in card
    assert "Perplexity: among how many" in card
    # Other weights under the same name have not been asked.
    release_run(tmp_path / "king", models, "king", about={})
    assert read_benchmarks(path) == []
    assert "farm" not in path.with_name(CARD).read_text("utf-8")


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
    (found,) = tasks.ask(base, limit=4)
    assert (found.task, found.questions, found.version) == ("farm", 4, "3")
    assert 0 <= found.figures["acc"] <= 1
    assert found.figures["acc_stderr"] >= 0
    file.unlink()
    with pytest.raises(TasksError, match="farm cannot be read"):
        open_tasks(["farm"], tmp_path)
