"""`train`: run a recipe from its YAML to a model in a folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import torch

from finetune.recipes.common import Recipe, RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.recipes.lm import LmRecipe
from finetune.recipes.reading import load_recipe
from finetune.settings import Settings
from finetune.training import gate, lm

RUN = "run.json"
EVENTS = "events.jsonl"
# What a person wants to see of an event, in this order.
_SHOWN = (
    "file",
    "update",
    "of",
    "loss",
    "heldout_loss",
    "tokens_per_second",
    "seconds",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `train` can be told."""
    parser.add_argument("recipe", type=Path, help="YAML file of finetune/recipes")
    parser.add_argument("--minutes", type=float, help="time budget of this run")
    parser.add_argument("--out", type=Path, help="default: runs/NAME of the instance")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint"
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Train; print the held-out figures. `run.json`, written last, means complete.

    Raises RecipeError, TrainingError, ModelMissing or PiecesError.
    """
    recipe = load_recipe(chosen.recipe)
    if isinstance(recipe, LmRecipe):
        recipe = recipe.on_this_machine(has_gpu=torch.cuda.is_available())
    out: Path = chosen.out or settings.instance / "runs" / recipe.name
    if chosen.minutes is not None and chosen.minutes <= 0:
        raise RecipeError("--minutes must be more than 0.")
    out.mkdir(parents=True, exist_ok=True)
    # Under `accelerate launch` every process trains, and the first one writes.
    is_main = os.environ.get("RANK", "0") == "0"
    if is_main and not chosen.resume:
        (out / RUN).unlink(missing_ok=True)
    events = out / EVENTS if is_main else Path(os.devnull)
    started = time.monotonic()
    with events.open("a" if chosen.resume else "w", encoding="utf-8") as file:
        figures = _train(recipe, settings)(
            recipe,
            out=out,
            minutes=chosen.minutes,
            resume=chosen.resume,
            emit=_emitter(file),
        )
    if not is_main:
        return 0
    write_run(out, recipe, figures, time.monotonic() - started)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    sys.stdout.write(f"The model is in {out}.\n")
    return 0


def _train(recipe: Recipe, settings: Settings) -> Callable[..., dict[str, float]]:
    if isinstance(recipe, LmRecipe):
        return partial(lm.train, cache=settings.instance / "models")
    if isinstance(recipe, ClassifierRecipe):
        return gate.train
    raise RecipeError(f"There is no training for {type(recipe).__name__}.")


def _emitter(file: TextIO) -> Callable[[dict[str, Any]], None]:
    """Return what writes each event to the log, and the gist of it to the screen."""

    def emit(event: dict[str, Any]) -> None:
        file.write(json.dumps({"time": round(time.time(), 1), **event}) + "\n")
        file.flush()
        gist = " ".join(
            f"{name} {event[name]:.4g}" if isinstance(event[name], float)
            else f"{name} {event[name]}"
            for name in _SHOWN
            if name in event
        )  # fmt: skip
        sys.stderr.write(f"{event.get('event', '')} {gist}\n")

    return emit


def write_run(
    out: Path, recipe: Recipe, figures: dict[str, float], seconds: float
) -> None:
    """Write `run.json`, which says that a run is complete."""
    run = {
        "recipe": recipe.model_dump(mode="json"),
        "figures": figures,
        "seconds": round(seconds, 1),
    }
    new = out / f"{RUN}.new"
    new.write_text(json.dumps(run, indent=2) + "\n", "utf-8")
    new.replace(out / RUN)
