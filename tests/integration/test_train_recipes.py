"""Shipped recipes train from the front door, and say how good the result is.

Each learns for a few seconds from a part of its made-up data;
WORDKEEP_TEST_MINUTES=3 gives the recipe as it is three minutes. Without it,
recipes that `test_train_resume` trains are left to it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from finetune.recipes.reading import load_recipe
from tests.integration.test_train_resume import SMALLER
from tests.kit.sites import share_models
from webapp.settings import PROJECT

pytestmark = pytest.mark.slow

MINUTES = os.environ.get("WORDKEEP_TEST_MINUTES")
RECIPES = [
    path
    for path in sorted((PROJECT / "finetune" / "recipes").glob("*.yaml"))
    if MINUTES or path.stem not in SMALLER
]
BRIEF = "0.1"
LONGEST = 420 + 60 * float(MINUTES or BRIEF)
LESS = {"dialogues": 100, "rows": 10}
# What each kind of model is judged by on what it has not learned from.
FIGURES = {
    "warden": {"heldout_loss"},
    "scribe": {"heldout_loss"},
    "gate": {"dev_auc", "dev_recall_at_1pct"},
    "leak": {"held_out_auc", "held_out_recall_at_1pct"},
}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_trains_and_reports_figures(
    recipe: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path / "out"
    used = recipe if MINUTES else with_less_data(recipe, tmp_path)
    instance = tmp_path / "instance"
    instance.mkdir()
    share_models(instance, tmp_path_factory.getbasetemp())
    done = subprocess.run(
        [
            str(PROJECT / "wordkeep"), "train", str(used),
            "--minutes", MINUTES or BRIEF, "--out", str(out),
        ],
        env={**os.environ, "WORDKEEP_SIDECAR_INSTANCE": str(instance)},
        cwd=PROJECT, capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert FIGURES[recipe.stem.partition("-")[0]] <= set(run["figures"])
    assert f"The model is in {out}." in done.stdout
    assert list(out.glob("*.safetensors"))


def with_less_data(recipe: Path, folder: Path) -> Path:
    """Return a copy of a recipe that is the same, but for the size of its data.

    Making, reading and judging all of it takes most of a short run.
    """
    settings = yaml.safe_load(recipe.read_text("utf-8"))
    sizes = [
        (settings.get(part), name)
        for part, name in (
            ("data", "dialogues"), ("on_gpu", "dialogues"), ("generated", "rows"),
        )
    ]  # fmt: skip
    cut = [(part, name) for part, name in sizes if isinstance(part, dict)]
    cut = [(part, name) for part, name in cut if name in part]
    assert cut
    if settings["kind"] == "lm":
        settings["eval_rows"] = 4
    for part, name in cut:
        part[name] //= LESS[name]
    copy = folder / recipe.name
    copy.write_text(yaml.safe_dump(settings), "utf-8")
    # Both are read as strictly as the command reads them.
    assert load_recipe(copy).name == load_recipe(recipe).name
    return copy
