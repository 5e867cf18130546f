"""Does the work of a job in this process, by the same loop as `./wordkeep train`.

torch and what it brings are imported with this module, for the first job, and stay.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import torch

from finetune.errors import FinetuneError
from finetune.jobs.asking import with_path
from finetune.jobs.guard_jobs import is_guard
from finetune.jobs.job import Job, Json
from finetune.jobs.learning import Learning
from finetune.jobs.speeds import LEAST_SECONDS
from finetune.recipes.lm import LmRecipe
from finetune.releasing.student import release_run
from finetune.training.command import train
from finetune.training.control import Control
from finetune.training.course import Course
from finetune.training.errors import RunStopped
from finetune.training.events import Emit, Failed
from finetune.work.courier import Courier, bring_run, send_result
from finetune.work.guards import release_guard, train_guard
from finetune.work.log import Told, telling
from finetune.work.testing import judge_test

# Writing all weights of a large model, and what Adam remembers of each, takes seconds.
_LARGE, _TIMES_LARGE = 20_000_000, 4
# A budget that is over: the run goes on only to write its model.
_OVER_MINUTES: Final = 1e-9
# The sidecar looks for new models once a second.
_SEEN_SECONDS: Final = 1.2
_LOADING: Final = (
    "The model to start from is being read. The first time on this computer that may"
    " take a minute."
)


class LocalTrainer:
    """Trains on the processor or the GPU of this machine."""

    def __init__(self, learning: Learning) -> None:
        self._learning = learning

    @property
    def _models(self) -> Path:
        return self._learning.models

    def prepare(self, job: Job) -> None:
        """Bring what other machines have done of a job, and what it learns from."""
        bring_run(job, runs=self._learning.runs, depot=self._learning.depot)
        self._learning.data_path(job.training_file)

    def train(self, job: Job, control: Control, *, is_over: bool) -> None:
        """Run a job to a complete run, or go on with it; raises RunStopped.

        Raises FinetuneError, and OSError if the disk is full.
        """
        if is_guard(job):
            self._train_guard(job, control)
            return
        runs, recipe = self._learning.runs, self._recipe(job)
        started = time.monotonic()
        with (
            telling(runs.events_file(job.id)) as write,
            self._courier(job, write) as emit,
        ):
            if not recipe.is_fresh:
                emit(Told(message=_LOADING))
            try:
                course = Course(
                    recipe,
                    runs.folder(job.id),
                    minutes=_OVER_MINUTES if is_over else None,
                    resume=runs.has_checkpoint(job.id),
                    emit=emit,
                    control=control,
                    save_every=self._save_every(job, recipe),
                )
                train(recipe, course, cache=self._models)
            except RunStopped:
                raise
            except FinetuneError as error:
                emit(Failed(message=str(error)))
                raise
        if not course.is_resumed:
            self._note_speed(job, recipe, time.monotonic() - started)

    def release(self, job: Job) -> None:
        """Put the model of a complete run into the folder that the sidecar serves."""
        run = self._learning.runs.folder(job.id)
        if is_guard(job):
            folder = release_guard(job, run=run, models=self._models)
        else:
            folder = release_run(run, self._models, job.name, about=self._about(job))
        send_result(job, folder, runs=self._learning.runs, depot=self._learning.depot)
        if why := self._learning.runs.not_served(job.id):
            with telling(self._learning.runs.events_file(job.id)) as emit:
                emit(Told(message=why))
            return
        # Whoever hears that the model is there asks for it at once.
        time.sleep(_SEEN_SECONDS)

    def test(self, job: Job) -> Json:
        """Judge the model of a job on its locked part, and its base as well."""
        return judge_test(
            self._recipe(job), self._learning.runs.folder(job.id), cache=self._models
        )

    def _train_guard(self, job: Job, control: Control) -> None:
        runs = self._learning.runs
        with (
            telling(runs.events_file(job.id)) as write,
            self._courier(job, write) as emit,
        ):
            try:
                train_guard(
                    job,
                    control,
                    run=runs.folder(job.id),
                    path=self._learning.data_path(job.training_file),
                    called=self._learning.filename(job.training_file),
                    emit=emit,
                )
            except RunStopped:
                raise
            except FinetuneError as error:
                emit(Failed(message=str(error)))
                raise

    def _courier(self, job: Job, emit: Emit) -> Courier:
        return Courier(
            job,
            emit,
            runs=self._learning.runs,
            depot=self._learning.depot,
            outgoing=self._learning.settings.instance / "outgoing",
        )

    def _recipe(self, job: Job) -> LmRecipe:
        path = self._learning.data_path(job.training_file)
        recipe = LmRecipe.model_validate(with_path(job.recipe, str(path)))
        return recipe.on_this_machine(has_gpu=torch.cuda.is_available())

    def _about(self, job: Job) -> dict[str, str]:
        base = self._learning.base(job.model)
        told = job.asked.get("metadata") or {}
        return {
            "title": job.asked.get("suffix") or job.name,
            "base_licence": base.licence if base.is_of_hub else "",
            "base": job.model,
            "data": self._learning.filename(job.training_file),
            "data_source": told.get("data_source", ""),
            "data_terms": told.get("data_terms", ""),
            "job": job.id,
        }

    def _note_speed(self, job: Job, recipe: LmRecipe, whole: float) -> None:
        """Remember how fast this machine was, for what it foretells next."""
        step = self._learning.runs.log(job.id).step
        seconds, speed = step.get("seconds", 0.0), step.get("tokens_per_second")
        if seconds < LEAST_SECONDS or not speed:
            return
        flops = self._learning.base(job.model).shape(recipe).flops(recipe)
        self._learning.speeds.note(
            job.model,
            recipe,
            flops=speed * flops,
            start_seconds=max(0.0, whole - seconds),
        )

    def _save_every(self, job: Job, recipe: LmRecipe) -> float:
        learned = self._learning.base(job.model).shape(recipe).learned(recipe)
        seconds = self._learning.settings.save_seconds
        return seconds if learned < _LARGE else _TIMES_LARGE * seconds
