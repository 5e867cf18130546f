"""`train`: run a recipe from its YAML to a model in a folder.

It writes `events.jsonl` (finetune/training/events.py) as it goes, and `run.json` last.
Ctrl-C and SIGTERM end it after the update that it is making: a checkpoint is kept, and
no model is written. With `--resume` it goes on exactly there; with `--resume` and a
`--minutes` that is already over, it makes a model of what it has learned. SIGUSR1 lets
it wait, and SIGUSR2 go on.

Exit status: 0 when the model is complete, 3 when somebody ended it, 2 when it cannot be
done.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import torch

from finetune.data.sources import resolved
from finetune.errors import FinetuneError
from finetune.recipes.common import Recipe, RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.recipes.lm import LmRecipe
from finetune.recipes.reading import load_recipe
from finetune.settings import Settings
from finetune.training.control import Control, obeying_signals
from finetune.training.course import Course
from finetune.training.errors import RunStopped
from finetune.training.events import EVENTS, Emit, Event, Failed, record

STOPPED = 3
# What a person wants to see of an event, in this order.
_SHOWN = (
    "stage",
    "file",
    "update",
    "of",
    "loss",
    "heldout_loss",
    "tokens_per_second",
    "seconds",
    "message",
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
        # What is told of the run, and made of it, must not depend on reading the file.
        recipe = resolved(recipe)
    out: Path = chosen.out or settings.instance / "runs" / recipe.name
    if chosen.minutes is not None and chosen.minutes <= 0:
        raise RecipeError("--minutes must be more than 0.")
    out.mkdir(parents=True, exist_ok=True)
    # Under `accelerate launch` every process trains, and the first one writes.
    is_main = os.environ.get("RANK", "0") == "0"
    control = Control()
    with (
        _telling(out / EVENTS if is_main else None, goes_on=chosen.resume) as emit,
        obeying_signals(control),
    ):
        try:
            course = Course(
                recipe,
                out,
                minutes=chosen.minutes,
                resume=chosen.resume,
                emit=emit,
                control=control,
                is_main=is_main,
            )
            figures = train(recipe, course, cache=settings.instance / "models")
        except RunStopped as stop:
            return _say_stopped(stop, out) if is_main else 0
        except FinetuneError as error:
            emit(Failed(message=str(error)))
            raise
    if is_main:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
        sys.stdout.write(f"The model is in {out}.\n")
    return 0


def train(recipe: Recipe, course: Course, *, cache: Path) -> dict[str, float]:
    """Train what a recipe describes; return its held-out figures.

    `cache` is for what is read from a base. Raises RunStopped, RecipeError,
    TrainingError, ModelMissing or PiecesError.
    """
    # Each loop is imported when it is needed: language models take transformers and
    # PEFT, and a guard would wait seconds for what it never uses.
    if isinstance(recipe, LmRecipe):
        from finetune.training import lm  # noqa: PLC0415 -- slow import

        return lm.train(recipe, course, cache=cache)
    if isinstance(recipe, ClassifierRecipe):
        if os.environ.get("WORLD_SIZE", "1") != "1":
            raise RecipeError(
                f"{recipe.name} is a guard, and guards learn in one process: run this"
                " without accelerate launch."
            )
        from finetune.training import gate, leak  # noqa: PLC0415 -- slow import

        loop = {"gate": gate.train, "leak": leak.train}[recipe.task]
        return loop(recipe, course)
    raise RecipeError(f"There is no training for {type(recipe).__name__}.")


def _say_stopped(stop: RunStopped, out: Path) -> int:
    sys.stderr.write(
        f"{stop} Its checkpoint is in {out}. Run the same command with --resume to go"
        " on, or with --resume --minutes 0.01 to make a model of what it has learned.\n"
    )
    return STOPPED


@contextmanager
def _telling(path: Path | None, *, goes_on: bool) -> Iterator[Emit]:
    """Yield what writes each event to the log, and the gist of it to the screen."""
    with Path(path or os.devnull).open(
        "a" if goes_on else "w", encoding="utf-8"
    ) as log:

        def emit(event: Event) -> None:
            row = {"time": round(time.time(), 1), **record(event)}
            _write(row, log)

        yield emit


def _write(row: dict[str, Any], log: TextIO) -> None:
    log.write(json.dumps(row) + "\n")
    log.flush()
    told = {**row, **row.get("figures", {})}
    gist = " ".join(
        f"{name} {told[name]:.4g}" if isinstance(told[name], float)
        else f"{name} {told[name]}"
        for name in _SHOWN
        if told.get(name) is not None and told[name] != row["event"]
    )  # fmt: skip
    sys.stderr.write(f"{row['event']} {gist}\n")
