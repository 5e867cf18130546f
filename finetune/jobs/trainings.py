"""What can be done with files and jobs, whoever asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import psutil
from pydantic import ValidationError

from finetune.data.guards.rows import Row
from finetune.data.texts.report import count_roughly
from finetune.data.texts.table import Table
from finetune.jobs.asking import (
    Asked,
    build_recipe,
    free_name,
    with_path,
)
from finetune.jobs.bases import BASES, BaseModel
from finetune.jobs.counting import CountTokens, count_as_fresh
from finetune.jobs.datasets import Datasets, report, resolved
from finetune.jobs.errors import CannotKeep, JobError, NotNow
from finetune.jobs.estimate import Estimate, estimate
from finetune.jobs.following import Following
from finetune.jobs.guard_jobs import (
    GUARD,
    guard_estimate,
    guard_recipe,
    read_rows_of,
    refuse_guard,
)
from finetune.jobs.job import Job, NewJob
from finetune.jobs.learning import Learning
from finetune.jobs.parts import Part, part_rows
from finetune.jobs.queue import Queue
from finetune.jobs.results import result_file
from finetune.jobs.runs import RunLog
from finetune.jobs.sending import files_for_hub
from finetune.jobs.states import Action
from finetune.jobs.telling import can_resume, job_object
from finetune.recipes.lined import say
from finetune.recipes.lm import LmRecipe, TextRows
from finetune.weights.benchmarks import RESULTS, read_benchmarks
from finetune.weights.files import remove
from finetune.weights.hub import HubAway
from finetune.weights.pushing import Target, push
from finetune.weights.releases import MANIFEST
from finetune.weights.served import forget_merged

Json = dict[str, Any]
_log = logging.getLogger(__name__)

_UNTRIED = 3  # what a base would take is told for a recipe with its usual settings
_USUAL_FILE: Final = Path("data.txt")


class Trainings:
    """The trainings of one instance, as the sidecar offers them."""

    def __init__(
        self, learning: Learning, queue: Queue, *, count: Callable[[str], CountTokens]
    ) -> None:
        """`count` gives, for the name of a model that is served, who counts tokens."""
        self.learning = learning
        self.following = Following(learning)
        self._queue = queue
        self._count = count
        self._datasets = Datasets()

    def report(
        self, file_id: str, *, model: str, data: Json, seed: int, rows: int
    ) -> Json:
        """Return preview and figures of a file; raise JobError or DataError."""
        chosen = _text_rows(data, self.learning.data_path(file_id))
        table = self._table(file_id, chosen)
        base = self.learning.base(model)
        count = self._counter(base, None)
        return report(table, chosen, count=count, seed=seed, rows=rows)

    def estimate(self, model: str, file_id: str, asked: Asked) -> Estimate:
        """Foretell a training; raise JobError, DataError or OwnGuardError."""
        if model == GUARD:
            return guard_estimate(self._messages(file_id))
        base = self.learning.base(model)
        return self._estimate(base, self._recipe(base, file_id, asked), file_id)

    def bases(self) -> list[Json]:
        """Return what one can start from, and what it would take on this machine.

        Models of the hub are there too, whether they can be fetched now or not.
        """
        known = [*BASES.values(), *self.learning.of_hub.known()]
        return [self._base(base) for base in known]

    def base(self, name: str) -> Json:
        """Return one of them, or any of the hub; raise NoSuch, JobError or HubError."""
        return self._base(self.learning.base(name))

    def create(
        self,
        model: str,
        file_id: str,
        asked: Asked,
        *,
        user: str,
        taken: set[str],
        said: Json,
    ) -> Job:
        """Put a training into the queue; `said` is what the caller sent, to be shown.

        `taken` are names that its model may not have. Raises JobError, DataError or
        OwnGuardError.
        """
        learning = self.learning
        if model == GUARD:
            return self._create_guard(file_id, asked, user=user, taken=taken, said=said)
        base = self.learning.base(model)
        if base.is_of_hub:
            learning.of_hub.check(base)
        own = model.rpartition("/")[2]
        name = free_name(said.get("suffix") or own, taken | learning.jobs.names())
        recipe = self._recipe(base, file_id, asked, name=name)
        self._check_chat(base, recipe)
        foretold = self._estimate(base, recipe, file_id)
        if foretold.memory_bytes > psutil.virtual_memory().total:
            raise JobError(foretold.sentence, param="recipe")
        shown = with_path(recipe.model_dump(mode="json"), learning.filename(file_id))
        new = NewJob(
            user=user,
            name=name,
            model=base.name,
            training_file=file_id,
            asked=said,
            recipe=shown,
            expected=foretold.seconds,
        )
        job = learning.jobs.create(new, most=learning.settings.jobs_per_user)
        self._wake()
        return job

    def _create_guard(
        self, file_id: str, asked: Asked, *, user: str, taken: set[str], said: Json
    ) -> Job:
        learning = self.learning
        rows = self._messages(file_id)
        name = free_name(said.get("suffix") or GUARD, taken | learning.jobs.names())
        shown = Path(learning.filename(file_id))
        new = NewJob(
            user=user,
            name=name,
            model=GUARD,
            training_file=file_id,
            asked=said,
            recipe=guard_recipe(asked, name=name, path=shown, rows=rows),
            expected=guard_estimate(rows).seconds,
        )
        job = learning.jobs.create(new, most=learning.settings.jobs_per_user)
        self._wake()
        return job

    def _messages(self, file_id: str) -> list[Row]:
        learning = self.learning
        path = learning.data_path(file_id)
        return read_rows_of(path, called=learning.filename(file_id))

    def ask(self, job_id: str, action: Action) -> Job:
        """Steer a job; raise NoSuch, NotNow or TooMany."""
        learning = self.learning
        job = learning.jobs.get(job_id)
        self.following.catch_up(job)
        if action in ("resume", "keep") and job.status not in ("running", "succeeded"):
            self._check_can_go_on(job, action)
        if action == "test" and not job.recipe["data"]["test"]:
            raise NotNow(
                "This training has no test part: it was made with data.test of 0."
            )
        job = learning.jobs.ask(job_id, action, most=learning.settings.jobs_per_user)
        if action in ("resume", "keep", "test"):
            self._wake()
        return job

    def result(self, job_id: str, name: str, *, quality: str = "") -> Path:
        """Return a file of a finished model; raise NoSuch, NotNow, or OSError."""
        learning = self.learning
        job = learning.jobs.get(job_id)
        if job.status != "succeeded":
            raise NotNow(f"This training is {job.status}: it has no model yet.")
        self.following.catch_up(job)
        model = learning.models / job.name
        if not (model / name).is_file():
            self.following.fetch_result(job, name)
        return result_file(model, learning.runs.folder(job_id), name, quality=quality)

    def benchmarks(self, job_id: str) -> list[Json]:
        """Return what benchmarks say of a model; raise NoSuch or BenchmarkError."""
        job = self.learning.jobs.get(job_id)
        if job.status != "succeeded":
            return []
        return [
            asdict(one)
            for one in read_benchmarks(self.learning.models / job.name / RESULTS)
        ]

    def push(self, job_id: str, target: Target) -> str:
        """Send a finished model to the hub; return its address there.

        Raises NoSuch, NotNow, HubError, or OSError.
        """
        job = self.learning.jobs.get(job_id)
        refuse_guard(job, "files for a hub of language models")
        files = files_for_hub(
            self.learning.base(job.model),
            is_adapter=job.recipe["lora"] is not None,
            find=lambda name: self.result(job_id, name),
        )
        return push(files, target)

    def rows(
        self, job_id: str, part: Part, *, limit: int, draw: int
    ) -> tuple[list[Json], bool]:
        """Return rows that a job learned from or was checked by; raise NoSuch.

        Also says whether there are more.
        """
        job = self.learning.jobs.get(job_id)
        refuse_guard(job, "packed rows")
        path = self.learning.data_path(job.training_file)
        data = TextRows.model_validate(job.recipe["data"] | {"path": str(path)})
        return part_rows(
            self._table(job.training_file, data),
            data,
            part=part,
            limit=limit,
            draw=draw,
            seed=job.recipe["seed"],
        )

    def delete_model(self, name: str) -> None:
        """Delete the model of a training, which is not served any more then.

        Raises NoSuch if none was trained, NotNow, or CannotKeep if the disk refuses.
        """
        learning = self.learning
        job = learning.jobs.of_name(name)
        if job.worker or job.status == "queued":
            raise NotNow("This model is being trained or tested: cancel that first.")
        folder = learning.models / job.name
        self.following.forget(job)
        try:
            # First what makes it a model: nobody is served half of one.
            (folder / MANIFEST).unlink(missing_ok=True)
            remove(folder)
            forget_merged(job.name, folder.parent)
            learning.runs.drop_weights(job.id)
        except OSError as error:
            raise CannotKeep(
                f"The model {name} could not be deleted: {error.strerror}."
            ) from error

    def log(self, job: Job) -> RunLog:
        """Return what the run of a job has told, up to now."""
        self.following.catch_up(job)
        return self.learning.runs.log(job.id)

    def told(self, job: Job) -> Json:
        """Return a job as it is told, with its place in the queue."""
        return self.told_all([job])[0]

    def told_all(self, jobs: list[Job]) -> list[Json]:
        """Return jobs as they are told; the queue is looked at once for all."""
        places = self._places() if any(j.status == "queued" for j in jobs) else {}
        found = []
        for job in jobs:
            self.following.catch_up(job)
            position, wait = places.get(job.id, (None, None))
            if job.status == "running":
                position, wait = 0, 0.0
            found.append(
                job_object(
                    job, self.learning.runs, position=position, wait_seconds=wait
                )
            )
        return found

    def _wake(self) -> None:
        try:
            self._queue.wake()
        except CannotKeep as error:
            # The job is kept, and workers look for such from time to time.
            _log.warning("%s", error)

    def _places(self) -> dict[str, tuple[int | None, float | None]]:
        """Return position and likely wait of each job that waits.

        As they will be taken: after each turn its user has had that much more.
        """
        wait = sum(self._left(job) for job in self.learning.jobs.running())
        waiting = self.learning.jobs.queue()
        had = {job.user: seconds for job, seconds in waiting}
        left = [job for job, _ in waiting]
        places: dict[str, tuple[int | None, float | None]] = {}
        while left:
            job = min(left, key=lambda j: (not j.is_interrupted, had[j.user], j.number))
            left.remove(job)
            places[job.id] = (len(places) + 1, wait)
            had[job.user] += job.expected
            wait += job.expected
        return places

    def _left(self, job: Job) -> float:
        self.following.catch_up(job)
        told = job_object(job, self.learning.runs, position=0, wait_seconds=0.0)
        left = told["progress"]["seconds_left"]
        return float(job.expected if left is None else left)

    def _check_can_go_on(self, job: Job, action: Action) -> None:
        runs = self.learning.runs
        is_begun = runs.has_checkpoint(job.id) or runs.is_complete(job.id)
        if action == "keep" and job.status != "queued" and not is_begun:
            raise NotNow("This training has learned nothing yet that could be kept.")
        if action == "resume" and job.status in ("failed", "cancelled"):
            if can_resume(job, runs):
                return
            raise NotNow(
                "This training has no checkpoint to go on from: begin a new one."
            )

    def _recipe(
        self, base: BaseModel, file_id: str, asked: Asked, *, name: str = "student"
    ) -> LmRecipe:
        path = self.learning.data_path(file_id)
        minutes = self.learning.settings.job_minutes
        recipe = build_recipe(asked, base, path=path, minutes=minutes, name=name)
        assert isinstance(recipe.data, TextRows)  # noqa: S101 -- it is built so
        data = resolved(self._table(file_id, recipe.data), recipe.data)
        places = base.shape(recipe).places
        if places and recipe.block > places:
            raise JobError(
                f"recipe.block must be at most {places}: {base.title} has learned no"
                " places further on.",
                param="recipe.block",
            )
        return recipe.model_copy(update={"data": data})

    def _check_chat(self, base: BaseModel, recipe: LmRecipe) -> None:
        assert isinstance(recipe.data, TextRows)  # noqa: S101 -- it is built so
        if not (base.is_of_hub and recipe.data.is_chat):
            return
        if not self.learning.of_hub.has_chat_marks(base):
            raise JobError(
                f"{base.title} cannot tell the turns of a chat apart: set is_chat to"
                " false with a text and an answer, or choose a model that answers.",
                param="recipe.data.is_chat",
            )

    def _estimate(self, base: BaseModel, recipe: LmRecipe, file_id: str) -> Estimate:
        assert isinstance(recipe.data, TextRows)  # noqa: S101 -- it is built so
        vocabulary = recipe.fresh.vocabulary if base.fresh else 0
        tokens = self._datasets.tokens_per_epoch(
            self._table(file_id, recipe.data),
            recipe.data,
            count=self._counter(base, recipe),
            seed=recipe.seed,
            tokenizer=(base.name, vocabulary),
        )
        speeds = self.learning.speeds
        return estimate(recipe, base, tokens_per_epoch=tokens, speeds=speeds)

    def _table(self, file_id: str, data: TextRows) -> Table:
        return self._datasets.table(
            data.path,
            data,
            limit=self.learning.settings.file_bytes,
            name=self.learning.filename(file_id),
        )

    def _counter(self, base: BaseModel, recipe: LmRecipe | None) -> CountTokens:
        if base.is_of_hub:
            try:
                return self.learning.of_hub.counter(base)
            except HubAway:
                return count_roughly
        if base.fresh is None:
            return self._count(base.name)
        sizes = base.fresh if recipe is None else recipe.fresh
        return count_as_fresh(sizes.vocabulary)

    def _base(self, base: BaseModel) -> Json:
        recipe = build_recipe(
            Asked(), base, path=_USUAL_FILE, minutes=self.learning.settings.job_minutes
        )
        usual = recipe.rows * recipe.block * _UNTRIED
        told = estimate(
            recipe, base, tokens_per_epoch=usual, speeds=self.learning.speeds
        )
        of_hub = self.learning.of_hub
        problem = of_hub.problem(base) if base.is_of_hub else ""
        return {
            "name": base.name,
            "title": base.title,
            "parameters": told.parameters,
            "bytes": base.file_bytes or 2 * told.parameters,
            "licence": base.licence,
            "kind": base.kind,
            "tokens_per_second": told.tokens_per_second,
            "memory_bytes": told.memory_bytes,
            "measured": told.measured,
            "fits": told.fits,
            "about": base.about,
            "usual": base.usual,
            "fresh": base.fresh.model_dump() if base.fresh else None,
            "online": base.is_of_hub,
            "repository": base.place if base.is_of_hub else None,
            "here": of_hub.is_here(base) if base.is_of_hub else True,
            "available": not problem,
            "problem": problem or None,
        }


def _text_rows(data: Json, path: Path) -> TextRows:
    for name in ("path", "source"):
        if name in data and (name, data[name]) != ("source", "rows"):
            raise JobError(
                f"data.{name} is that of the file: leave it out.", param="data"
            )
    try:
        return TextRows.model_validate(data | {"source": "rows", "path": str(path)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    loc = ("data", *first["loc"])
    raise JobError(f"{say(loc, first)}.", param=".".join(map(str, loc)))
