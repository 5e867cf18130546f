"""Trainings for tests: jobs without a model, and a trainer that takes no time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from finetune.jobs.asking import Asked, build_recipe
from finetune.jobs.bases import find_base
from finetune.jobs.job import Job, NewJob
from finetune.jobs.runs import Runs
from finetune.jobs.store import JobStore
from finetune.training.control import Control
from finetune.training.errors import RunStopped
from finetune.work.worker import Worker


def new_job(user: str = "ada", name: str = "model", **changes: Any) -> NewJob:
    """Return a job to be put into a queue."""
    recipe = build_recipe(
        Asked(recipe={"updates": 10}), find_base("fresh-small"),
        path=Path("data.txt"), minutes=30,
    )  # fmt: skip
    values: dict[str, Any] = {
        "user": user,
        "name": name,
        "model": "fresh-small",
        "training_file": "file-x",
        "asked": {},
        "recipe": recipe.model_dump(mode="json"),
        "expected": 10.0,
    }
    return NewJob(**values | changes)


class QuickTrainer:
    """Does nothing but write that it did; `during` may be what happens meanwhile."""

    def __init__(self, runs: Runs, during: Callable[[Job, Control], None]) -> None:
        self.trained: list[tuple[Job, bool]] = []
        self.released: list[str] = []
        self.tested: list[str] = []
        self._runs = runs
        self._during = during

    def prepare(self, job: Job) -> None:
        """Bring nothing."""

    def train(self, job: Job, control: Control, *, is_over: bool) -> None:
        """Train, or stop when somebody wants it."""
        self.trained.append((job, is_over))
        folder = self._runs.folder(job.id)
        (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoint" / "begun.json").write_text("{}")
        if not is_over:
            self._during(job, control)
        if control.is_stopping:
            raise RunStopped("Stopped.")
        run = {"figures": {"heldout_loss": 1.5}}
        (folder / "run.json").write_text(json.dumps(run))

    def release(self, job: Job) -> None:
        """Note that the model is there."""
        self.released.append(job.name)

    def test(self, job: Job) -> dict[str, Any]:
        """Return figures of the locked part."""
        self.tested.append(job.id)
        return {"test_perplexity": 7.0}


class NoPlayers:
    """An engine that nobody waits for, unless told so."""

    def __init__(self) -> None:
        self.is_busy = False

    def has_waiting(self) -> bool:
        """Whether players wait."""
        return self.is_busy


def nothing(job: Job, control: Control) -> None:
    """Happen."""


def until_stopped(job: Job, control: Control) -> None:
    """Train until somebody wants the end."""
    deadline = time.monotonic() + 30
    while not control.is_stopping:
        assert time.monotonic() < deadline, "nobody stopped it"
        time.sleep(0.01)


class Workshop:
    """A store, a folder of runs, and a worker with a quick trainer."""

    def __init__(
        self, folder: Path, during: Callable[[Job, Control], None] = nothing
    ) -> None:
        self.store = JobStore(folder / "jobs.db")
        self.runs = Runs(folder / "runs")
        self.trainer = QuickTrainer(self.runs, during)
        self.engine = NoPlayers()
        self.worker = Worker(
            store=self.store,
            runs=self.runs,
            engine=self.engine,
            load_trainer=lambda: self.trainer,
        )

    def start(self) -> threading.Thread:
        """Let the worker do what there is, beside the test."""
        thread = threading.Thread(target=self.worker.work, daemon=True)
        thread.start()
        return thread
