"""The file that says a run is complete."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from finetune.recipes.common import Recipe
from finetune.weights.files import write_json

RUN = "run.json"


def write_run(
    out: Path, recipe: Recipe, figures: Mapping[str, float], seconds: float
) -> None:
    """Write `run.json`, which says that the run in `out` is complete."""
    run = {
        "recipe": recipe.model_dump(mode="json"),
        "figures": dict(figures),
        "seconds": round(seconds, 1),
    }
    write_json(out / RUN, run)
