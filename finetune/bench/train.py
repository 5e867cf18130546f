"""`bench train`: time to the same held-out loss, ours against `transformers.Trainer`.

Ours trains for some minutes with the settings of the warden's recipe. The loss that it
then has on held-out dialogues is the goal. Trainer learns the same LoRA adapters (PEFT)
on the same base from the same dialogues, with the same learning rate and optimizer, and
with a loss on answers only, twice: with its defaults (32 bits, batches of 8 dialogues
filled up to the longest), and in bf16 on packed rows. It ends at the goal, or after six
times our time. Its learning rate falls as ours does and then stays at a twentieth: with
the defaults over 2.5 times our time, tuned over our time. So each has its best chance
at the time that we aim to beat it by; a course that ends too early or too late makes it
seem slower than it is.

The held-out loss is measured at a regular number of tokens, with a stopped clock. Each
run is a process of its own, so that its peak memory is.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import torch

from finetune.bench.runs import Job, Run, run_ours, write_rows
from finetune.bench.table import table
from finetune.bench.trainer import Goal, run_trainer
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import LmRecipe, Lora, WardenData
from finetune.recipes.reading import load_recipe
from finetune.settings import Settings
from finetune.weights.files import new_file, write_json

RECIPE = Path(__file__).parents[1] / "recipes" / "warden.yaml"
_RATE = 1.5e-3
_CAP = 6  # times ours
# Name, whether it is tuned, and how many of our times its learning rate falls over.
_TRAINERS = (("Trainer, defaults", False, 2.5), ("Trainer, bf16 and packing", True, 1))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contender:
    """A row of the table: a run, or why there is none."""

    name: str
    run: Run | None
    problem: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `bench train` can be told."""
    parser.add_argument("--minutes", type=float, default=2.0, help="that ours trains")
    parser.add_argument("--json", type=new_file, help="write the figures there, too")
    parser.add_argument("--rows", type=int, help="dialogues; default: of the recipe")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Run all, one after the other, and print a table.

    Raises RecipeError, ModelMissing or PiecesError.
    """
    recipe = _recipe(chosen.rows)
    if chosen.minutes <= 0:
        raise RecipeError("--minutes must be more than 0.")
    folder = settings.instance / "bench" / "train"
    job = Job(recipe, folder / "rows.pt", folder / "runs", settings.instance / "models")
    _say("Writing the dialogues")
    alone(write_rows, job)
    _say(f"Ours, for {chosen.minutes:g} minutes")
    ours = alone(run_ours, job, chosen.minutes)
    time = ours.trained_seconds
    goal = Goal(ours.loss, ours.tokens, seconds=_CAP * time, planned=time)
    found = [Contender("ours", ours)]
    for name, is_tuned, part in _TRAINERS:
        _say(f"{name}, to a loss of {goal.loss:.4f}, {goal.seconds:.0f} s at most")
        planned = replace(goal, planned=part * time)
        found.append(_attempt(name, job, planned, is_tuned))
    sys.stdout.write(report(found, goal))
    if chosen.json is not None:
        write_json(chosen.json, _answer(found, goal, chosen.minutes, recipe))
    return 0


def alone(work: Callable[..., T], *arguments: object) -> T:
    """Return what a function returns in a fresh process, which shows no progress."""
    os.environ["TQDM_DISABLE"] = "1"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def report(found: Sequence[Contender], goal: Goal) -> str:
    """Return the table; the first one is ours."""
    runs = [contender.run for contender in found if contender.run]
    has_device = any(run.device_bytes is not None for run in runs)
    head = ["", "type", "seconds to the loss", "× ours", "tokens/s", "of the peak"]
    head += ["memory", *(["GPU memory"] if has_device else [])]
    lines = [_line(contender, runs[0], goal, has_device) for contender in found]
    return (
        f"On {runs[0].device}, to a held-out loss of {goal.loss:.4f}"
        f" (nats per answer token):\n{table(head, lines)}"
    )


def _line(
    contender: Contender, ours: Run, goal: Goal, has_device: bool
) -> Sequence[str]:
    run = contender.run
    if run is None:
        return [contender.name, f"not measured: {contender.problem}"]
    bound, seconds = (
        ("", run.seconds) if run.seconds is not None else ("> ", goal.seconds)
    )
    cells = [
        contender.name,
        run.precision,
        f"{bound}{seconds:.0f}",
        f"{bound}{seconds / ours.trained_seconds:.2f}",
        f"{run.tokens_per_second:.0f}",
        f"{100 * run.share_of_peak:.1f} %",
        _gigabytes(run.peak_bytes),
    ]
    return [*cells, *([_gigabytes(run.device_bytes or 0)] if has_device else [])]


def _recipe(dialogues: int | None) -> LmRecipe:
    recipe = load_recipe(RECIPE)
    if not isinstance(recipe, LmRecipe) or not isinstance(recipe.data, WardenData):
        raise RecipeError(f"{RECIPE} does not train a warden.")
    recipe = recipe.on_this_machine(has_gpu=torch.cuda.is_available())
    # Both begin with the base, and at the rate that suits that.
    recipe = recipe.model_copy(update={"lora": Lora(), "learning_rate": _RATE})
    if dialogues is None:
        return recipe
    if dialogues < 1:
        raise RecipeError("--rows must be at least 1.")
    data = recipe.data.model_copy(update={"dialogues": dialogues})
    return recipe.model_copy(update={"data": data})


def _attempt(name: str, job: Job, goal: Goal, is_tuned: bool) -> Contender:
    try:
        return Contender(name, alone(_run_trainer, job, goal, is_tuned))
    except Exception as error:  # noqa: BLE001 -- border: the process of a run
        return Contender(name, None, f"{type(error).__name__}: {error}"[:100])


def _run_trainer(job: Job, goal: Goal, is_tuned: bool) -> Run:
    return run_trainer(job, goal, is_tuned=is_tuned)


def _answer(
    found: Sequence[Contender], goal: Goal, minutes: float, recipe: LmRecipe
) -> dict[str, Any]:
    return {
        "loss": goal.loss,
        "minutes": minutes,
        "cap_seconds": goal.seconds,
        "recipe": recipe.model_dump(mode="json"),
        "runs": [
            {"name": c.name, "problem": c.problem}
            if c.run is None
            else {"name": c.name, **asdict(c.run)}
            for c in found
        ],
    }


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
