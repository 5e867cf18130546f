"""The files that a run leaves, each written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finetune.recipes.common import Recipe

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
    write_json(run, out / RUN)


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON under a temporary name first; raise OSError if it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    new.replace(path)
