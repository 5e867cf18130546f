"""Jobs that make a guard of somebody's own messages, in the queue of all others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from finetune.data.guards.messages import read_messages
from finetune.data.guards.rows import Row
from finetune.jobs.asking import Asked
from finetune.jobs.errors import JobError, NotNow
from finetune.jobs.estimate import Estimate, spoken_time
from finetune.jobs.job import Job
from finetune.recipes.common import RecipeError

Json = dict[str, Any]

# What a job names as its model, and what its recipe says that it is.
GUARD: Final = "guard"
KIND: Final = "own-guard"
FEATURE_PARAMETERS: Final = 22_700_000
_LEARNED: Final = 1_000_000
# Reading both models takes seconds, and each message some hundredths of one.
_START_SECONDS, _EACH_SECONDS = 6.0, 0.05
_MEMORY_BYTES: Final = 900_000_000
_UPDATES: Final = 360


def is_guard(job: Job) -> bool:
    """Whether a job makes a guard, and no language model."""
    return bool(job.recipe["kind"] == KIND)


def read_rows_of(path: Path, *, called: str) -> list[Row]:
    """Return the messages of a file.

    Raises JobError, with the sentence about what is wrong, or OwnGuardError.
    """
    try:
        return read_messages(path, called=called)
    except RecipeError as error:
        raise JobError(
            f'{error} A guard learns from lines such as {{"text": "Hello", "label":'
            " 0}, with 1 for an attack.",
            param="training_file",
        ) from error


def guard_recipe(asked: Asked, *, name: str, path: Path, rows: Sequence[Row]) -> Json:
    """Return the whole recipe; raise JobError about a setting that it has not."""
    if asked.recipe or not (asked.epochs is asked.batch is asked.rate_factor is None):
        raise JobError(
            "A guard has no settings but its seed: leave recipe and hyperparameters"
            " out.",
            param="recipe",
        )
    return {
        "kind": KIND,
        "name": name,
        "seed": asked.seed or 0,
        "epochs": 60,
        "updates": None,
        "minutes": None,
        "rows": len(rows),
        "accumulate": 1,
        "lora": None,
        "data": {"source": "rows", "path": str(path), "test": 0},
    }


def guard_estimate(rows: Sequence[Row]) -> Estimate:
    """Foretell how long so many messages take; they are few, so it is a rough guess."""
    seconds = _START_SECONDS + _EACH_SECONDS * len(rows)
    free = psutil.virtual_memory().available
    return Estimate(
        tokens_per_epoch=0,
        tokens=0,
        updates=_UPDATES,
        seconds=seconds,
        flops=0.0,
        memory_bytes=_MEMORY_BYTES,
        memory_free_bytes=free,
        fits=free > _MEMORY_BYTES,
        learned=_LEARNED,
        parameters=FEATURE_PARAMETERS + _LEARNED,
        tokens_per_second=0.0,
        measured=False,
        sentence=f"It takes about {spoken_time(seconds)}, once it is its turn.",
    )


def refuse_guard(job: Job, what: str) -> None:
    """Raise NotNow if a job makes a guard, which has no `what`."""
    if is_guard(job):
        raise NotNow(
            f"This training makes a guard, which has no {what}. Its messages are in the"
            " file that it learned from."
        )
