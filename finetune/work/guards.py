"""Makes a guard of somebody's messages, as the job of a worker.

It takes seconds, so there is no checkpoint: a run that was ended begins again, and its
messages and seed come to the same guard.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from finetune.jobs.guard_jobs import read_rows_of
from finetune.jobs.job import Job
from finetune.training.control import Control
from finetune.training.errors import RunStopped
from finetune.training.events import (
    Continued,
    Emit,
    Finished,
    Paused,
    RowsRead,
    StageBegan,
    Started,
    Step,
    Stopped,
)
from finetune.training.own_guard import UPDATES, make_guard
from finetune.weights.files import remove, write_json
from finetune.weights.releases import MANIFEST

_STAGE: Final = "guard"
_MADE, _RUN = "guard", "run.json"
_EVERY, _WAIT_SECONDS = 30, 0.05


def train_guard(
    job: Job, control: Control, *, run: Path, path: Path, called: str, emit: Emit
) -> None:
    """Make the guard of a job in the folder of its run; it is complete with run.json.

    Raises RunStopped, OwnGuardError, JobError, ModelMissing or OSError.
    """
    started = time.monotonic()
    emit(Started(name=job.name, minutes=None, is_resumed=False))
    rows = read_rows_of(path, called=called)
    emit(RowsRead(train=len(rows)))
    emit(
        StageBegan(
            stage=_STAGE,
            update=0,
            of=UPDATES,
            learned=0,
            parameters=0,
            device="cpu",
            precision="fp32",
        )
    )
    remove(run / _MADE)
    figures = make_guard(
        rows,
        run / _MADE,
        name=job.name,
        seed=job.recipe["seed"],
        step=_stepping(control, emit, started),
    )
    flat = _flat(figures)
    emit(Finished(figures=flat, seconds=time.monotonic() - started))
    write_json(run / _RUN, {"figures": flat})


def release_guard(job: Job, *, run: Path, models: Path) -> Path:
    """Put the guard of a complete run where it is served; return that folder.

    The manifest is written last: from then on it is a model.
    """
    made, folder = run / _MADE, models / job.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in sorted(made.iterdir()):
        if path.name != MANIFEST:
            shutil.copyfile(path, folder / path.name)
    new = folder / f"{MANIFEST}.new"
    shutil.copyfile(made / MANIFEST, new)
    new.replace(folder / MANIFEST)
    return folder


def _stepping(control: Control, emit: Emit, started: float) -> Callable[[int], None]:
    """Return what looks after each update whether to wait or end, and tells."""

    def step(update: int) -> None:
        if control.is_pausing and not control.is_stopping:
            emit(Paused(stage=_STAGE, update=update))
            while control.is_pausing and not control.is_stopping:
                time.sleep(_WAIT_SECONDS)
            emit(Continued(stage=_STAGE, update=update))
        if control.is_stopping:
            emit(Stopped(stage=_STAGE, update=update))
            raise RunStopped("The training was ended.")
        if update % _EVERY == 0:
            emit(
                Step(
                    stage=_STAGE,
                    update=update,
                    of=UPDATES,
                    loss=None,
                    parts={},
                    rate=None,
                    tokens=None,
                    tokens_per_second=None,
                    seconds=time.monotonic() - started,
                )
            )

    return step


def _flat(figures: dict[str, Any]) -> dict[str, float]:
    """Return figures as numbers: of an interval, the value and its two ends."""
    flat: dict[str, float] = {}
    for name, value in figures.items():
        if isinstance(value, list):
            ends = (name, f"{name}_low", f"{name}_high")
            flat |= dict(zip(ends, value, strict=True))
        elif not isinstance(value, str):
            flat[name] = value
    return flat
