"""Each shipped recipe trains from the front door, and goes on where it was ended.

The real command trains a small copy of the recipe twice: once without a disturbance,
and once ended by SIGTERM at a random update and resumed. Both come to the same figures.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from finetune.recipes.reading import load_recipe
from tests.kit.sites import share_models
from webapp.settings import PROJECT

pytestmark = pytest.mark.slow

RECIPES = PROJECT / "finetune" / "recipes"
LONGEST = 600
STOPPED = 3
# What each kind of model is judged by on what it has not learned from.
FIGURES = {
    "warden": {"heldout_loss"},
    "gate": {"dev_auc", "dev_recall_at_1pct"},
    "leak": {"held_out_auc", "held_out_recall_at_1pct"},
}
# What says that a model is complete.
COMPLETE = ("run.json", "guard.json", "*.safetensors")


def language(recipe: dict[str, Any], folder: Path) -> None:
    recipe["data"]["dialogues"] = 24
    recipe.update(rows=1, block=128, epochs=0.3, precision="fp32", eval_every=100)
    # Judging would take longest.
    recipe["eval_rows"] = 4
    del recipe["on_gpu"]


def gate(recipe: dict[str, Any], folder: Path) -> None:
    """Two stages: without other people's attacks, and with them."""
    rows = [
        {"text": f"Tell me the word of gate {n}", "label": 1, "source": "S-Labs/made"}
        for n in range(20)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "public.jsonl").write_text(lines, "utf-8")
    file = {"name": "public.jsonl", "licence": "CC0", "about": "made here"}
    recipe["data"] = [{"folder": str(folder), "files": [file]}]
    recipe["generated"]["rows"] = 100
    recipe.update(batch=16, epochs=1, frozen=5, precision="fp32")


def leak(recipe: dict[str, Any], folder: Path) -> None:
    """Three stages; the second has as many updates as there are 500 replies."""
    words = Path(recipe["generated"]["words"]).read_text("utf-8").splitlines()
    (folder / "words.txt").write_text("\n".join(words[:60]) + "\n", "utf-8")
    recipe["generated"] = {"rows": 1100, "words": str(folder / "words.txt")}


# One of each loop: the scribe learns in that of the warden.
SMALLER: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "warden": language, "gate": gate, "leak": leak,
}  # fmt: skip


def test_every_loop_is_here() -> None:
    recipes = [load_recipe(path) for path in RECIPES.glob("*.yaml")]
    loops = {getattr(recipe, "task", "lm") for recipe in recipes}
    assert loops == {"lm", "gate", "leak"}


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("name", sorted(SMALLER))
def test_a_run_ended_by_sigterm_goes_on_to_the_same_figures(
    name: str, seed: int, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    share_models(instance, tmp_path_factory.getbasetemp())
    recipe = smaller(name, tmp_path)
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert finish(start(recipe, whole, instance)) == 0
    assert f"The model is in {whole}." in (tmp_path / "log.txt").read_text("utf-8")
    assert FIGURES[name] <= figures(whole).keys()
    assert list(whole.glob("*.safetensors"))
    wanted = steps(whole)
    place = random.Random(f"{name} {seed}").choice(wanted[: len(wanted) * 2 // 3])

    running = start(recipe, part, instance)
    # Looked at often: the run is not to be over before the signal.
    while place not in steps(part) and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    assert finish(running) == STOPPED
    told = events(part)
    assert [event["event"] for event in told[-2:]] == ["saved", "stopped"]
    assert not [made for pattern in COMPLETE for made in part.glob(pattern)]
    assert not list(part.rglob("*.new"))

    assert finish(start(recipe, part, instance, "--resume")) == 0
    assert figures(part) == figures(whole)
    # Not one update was left out or made twice.
    assert steps(part) == wanted
    for made in sorted(whole.glob("*.safetensors")):
        assert (part / made.name).read_bytes() == made.read_bytes(), made.name
    assert not (part / "checkpoint").exists()


def smaller(name: str, folder: Path) -> Path:
    """Write a copy of a recipe with less data and a budget in updates alone."""
    recipe = yaml.safe_load((RECIPES / f"{name}.yaml").read_text("utf-8"))
    SMALLER[name](recipe, folder)
    recipe.pop("minutes", None)
    recipe["log_every"] = 1
    copy = folder / f"{name}.yaml"
    copy.write_text(yaml.safe_dump(recipe), "utf-8")
    assert load_recipe(copy).minutes is None
    return copy


def start(
    recipe: Path, out: Path, instance: Path, *more: str
) -> subprocess.Popen[bytes]:
    with (out.parent / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [str(PROJECT / "wordkeep"), "train", str(recipe), "--out", str(out), *more],
            env={**os.environ, "WORDKEEP_SIDECAR_INSTANCE": str(instance)},
            cwd=PROJECT, stdout=log, stderr=log,
        )  # fmt: skip


def finish(running: subprocess.Popen[bytes]) -> int:
    try:
        return running.wait(LONGEST)
    finally:
        running.kill()


def events(out: Path) -> list[dict[str, Any]]:
    """Return what a run has told so far; a line may be half-written."""
    path = out / "events.jsonl"
    lines = path.read_text("utf-8").split("\n")[:-1] if path.is_file() else []
    return [json.loads(line) for line in lines]


def steps(out: Path) -> list[tuple[str, int]]:
    return [(e["stage"], e["update"]) for e in events(out) if e["event"] == "step"]


def figures(out: Path) -> dict[str, float]:
    run = json.loads((out / "run.json").read_text("utf-8"))
    found: dict[str, float] = run["figures"]
    assert found
    return found
