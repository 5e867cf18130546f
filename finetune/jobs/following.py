"""What a sidecar sees of trainings that workers on other machines do.

Where nothing is shared, workers write into its own folders, and there is nothing to do
here. Else runs and models are fetched from the depot: what a page shows of a run when
it is asked for and something happened, a model as soon as it is there.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any, Final

from finetune.jobs.job import Job
from finetune.jobs.learning import Learning
from finetune.weights.depot import DepotError
from finetune.weights.files import remove, write_json
from finetune.weights.releases import MANIFEST

MODELS: Final = "models"
RUNS: Final = "runs"
# What a page tells of a run that it did not see; the weights stay where they are.
_SMALL: Final = frozenset({"checkpoint/begun.json", "run.json", "not-served.txt"})
_LOOK_SECONDS: Final = 3.0

_log = logging.getLogger(__name__)


class Following:
    """Keeps runs and models of an instance as they are in the depot.

    Safe to use from many threads. While the depot does not answer, what is here counts.
    """

    def __init__(self, learning: Learning) -> None:
        self._learning = learning
        self._depot = learning.depot
        self._seen: dict[str, tuple[Any, ...]] = {}
        self._models: dict[str, str] = {}
        # Protects what is above, and makes one thread at a time fetch.
        self._lock = threading.Lock()
        self.problem = ""

    def start(self) -> None:
        """Begin to look for new models, beside everything else."""
        if self._depot.is_shared:
            threading.Thread(target=self._look, name="following", daemon=True).start()

    def catch_up(self, job: Job) -> None:
        """Fetch what has happened in a job since the last time."""
        if not self._depot.is_shared:
            return
        now = (job.status, job.worker, job.heard, job.test)
        with self._lock:
            if self._seen.get(job.id) == now:
                return
            try:
                self._fetch_run(job)
                if job.status == "succeeded":
                    self._fetch_models()
            except DepotError as error:
                _log.warning("%s", error)
                return
            self._seen[job.id] = now

    def fetch_result(self, job: Job, name: str) -> None:
        """Fetch a file of a run that only few ask for; raise DepotError."""
        folder = self._learning.runs.folder(job.id)
        if not (folder / name).is_file():
            self._depot.bring_files(f"{RUNS}/{job.id}", folder, frozenset({name}))

    def forget(self, job: Job) -> None:
        """Delete model and run of a job in the depot; raise DepotError."""
        with self._lock:
            self._depot.remove(f"{MODELS}/{job.name}")
            self._depot.remove(f"{RUNS}/{job.id}")
            self._models.pop(job.name, None)

    def fetch_models(self) -> None:
        """Make the models here those of the depot; raise DepotError."""
        with self._lock:
            self._fetch_models()

    def _look(self) -> None:
        pause = threading.Event()
        while True:
            try:
                self.fetch_models()
            except DepotError as error:
                if str(error) != self.problem:
                    _log.warning("%s", error)
                self.problem = str(error)
            else:
                self.problem = ""
            pause.wait(_LOOK_SECONDS)

    def _fetch_run(self, job: Job) -> None:
        runs = self._learning.runs
        self._depot.bring_log(job.id, runs.events_file(job.id))
        if not job.worker or job.status != "running":
            self._depot.bring_files(f"{RUNS}/{job.id}", runs.folder(job.id), _SMALL)

    def _fetch_models(self) -> None:
        there = self._depot.versions(MODELS)
        known = self._models or self._read()
        for name, version in there.items():
            if known.get(name) != version:
                self._depot.bring(f"{MODELS}/{name}", self._learning.models / name)
                known = known | {name: version}
                self._write(known)
        for name in set(known) - set(there):
            # First what makes it a model: nobody is served half of one.
            (self._learning.models / name / MANIFEST).unlink(missing_ok=True)
            remove(self._learning.models / name)
        if set(known) != set(there):
            self._write({name: known[name] for name in there})
        self._models = known
