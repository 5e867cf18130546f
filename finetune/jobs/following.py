"""What a sidecar sees of trainings that workers on other machines do.

Where nothing is shared, workers write into its own folders, and there is nothing to do
here. Else runs and models are fetched from the depot: what a page shows of a run when
it is asked for and something happened, a model as soon as it is there.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any, Final

from finetune.jobs.files import disk_sentence
from finetune.jobs.job import Job
from finetune.jobs.learning import Learning
from finetune.weights.depot import DepotError
from finetune.weights.files import remove, write_json
from finetune.weights.releases import MANIFEST, sha256

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
        self._note = learning.settings.instance / "followed" / "models.json"
        self._quiet_until = 0.0
        self._seen: dict[str, tuple[Any, ...]] = {}
        # Makes one thread at a time fetch runs; what was seen of them is behind it.
        self._lock = threading.Lock()
        # The same for models, which are large.
        self._models_lock = threading.Lock()
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
            if self._seen.get(job.id) == now or time.monotonic() < self._quiet_until:
                return
            try:
                self._fetch_run(job)
            except (DepotError, OSError) as error:
                _log.warning("%s", _sentence(error))
                # A list of many jobs must not wait for each of them.
                self._quiet_until = time.monotonic() + _LOOK_SECONDS
                return
            self._seen[job.id] = now
        if job.status == "succeeded":
            self.fetch_models()

    def fetch_result(self, job: Job, name: str) -> None:
        """Fetch a file of a run that only few ask for; raise DepotError."""
        folder = self._learning.runs.folder(job.id)
        if not (folder / name).is_file():
            self._depot.bring_files(f"{RUNS}/{job.id}", folder, frozenset({name}))

    def forget(self, job: Job) -> None:
        """Delete model and run of a job in the depot; raise DepotError."""
        with self._models_lock:
            self._depot.remove(f"{MODELS}/{job.name}")
            self._depot.remove(f"{RUNS}/{job.id}")

    def fetch_models(self) -> None:
        """Make the models here those of the depot, as far as that answers."""
        problem = ""
        try:
            with self._models_lock:
                self._fetch_models()
        except (DepotError, OSError) as error:
            problem = _sentence(error)
            if problem != self.problem:
                _log.warning("%s", problem)
        self.problem = problem

    def _look(self) -> None:
        pause = threading.Event()
        while True:
            self.fetch_models()
            pause.wait(_LOOK_SECONDS)

    def _fetch_run(self, job: Job) -> None:
        runs = self._learning.runs
        self._depot.bring_log(job.id, runs.events_file(job.id))
        if not job.worker or job.status != "running":
            self._depot.bring_files(f"{RUNS}/{job.id}", runs.folder(job.id), _SMALL)

    def _fetch_models(self) -> None:
        mark = self._depot.mark()
        there, known = self._depot.versions(MODELS), self._known(mark)
        broken: DepotError | None = None
        for name in [name for name in there if known.get(name) != there[name]]:
            try:
                self._fetch_model(name)
            except DepotError as error:
                broken = error  # the others are not
                continue
            known[name] = there[name]
            write_json(self._note, {"depot": mark, "models": known})
        for name in set(known) - set(there):
            folder = self._learning.models / name
            # First what makes it a model: nobody is served half of one.
            (folder / MANIFEST).unlink(missing_ok=True)
            remove(folder)
            del known[name]
            write_json(self._note, {"depot": mark, "models": known})
        if broken is not None:
            raise broken

    def _fetch_model(self, name: str) -> None:
        if not self._is_here(name):
            self._depot.bring(f"{MODELS}/{name}", self._learning.models / name)

    def _is_here(self, name: str) -> bool:
        """Whether a worker of this instance made a model, as it is in the depot."""
        bundle = self._depot.look(f"{MODELS}/{name}")
        manifest = self._learning.models / name / MANIFEST
        if bundle is None or not manifest.is_file():
            return False
        return sha256(manifest) == bundle.files.get(MANIFEST)

    def _known(self, mark: str) -> dict[str, str]:
        """Return which models came from the depot, and in which version.

        What came from one that was lost since then is not in the new one; here it
        stays.
        """
        try:
            told = json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):  # none yet
            return {}
        found: dict[str, str] = told["models"] if told["depot"] == mark else {}
        return found


def _sentence(error: DepotError | OSError) -> str:
    if isinstance(error, OSError):
        return disk_sentence(error, "What came from the depot")
    return str(error)
