"""Every shipped recipe trains from the front door, and says how good the result is.

A few seconds of learning each; WORDKEEP_TEST_MINUTES=3 gives them three minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from webapp.settings import PROJECT

pytestmark = pytest.mark.slow

RECIPES = sorted((PROJECT / "finetune" / "recipes").glob("*.yaml"))
MINUTES = os.environ.get("WORDKEEP_TEST_MINUTES", "0.1")
LONGEST = 420 + 60 * float(MINUTES)
# What each kind of model is judged by on what it has not learned from.
FIGURES = {
    "warden": {"heldout_loss"},
    "gate": {"dev_auc", "dev_recall_at_1pct"},
    "leak": {"held_out_auc", "held_out_recall_at_1pct"},
}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_trains_and_reports_figures(recipe: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            str(PROJECT / "wordkeep"), "train", str(recipe), "--minutes", MINUTES,
            "--out", str(tmp_path),
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    run = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert FIGURES[recipe.stem.partition("-")[0]] <= set(run["figures"])
    assert f"The model is in {tmp_path}." in done.stdout
    assert list(tmp_path.glob("*.safetensors"))
