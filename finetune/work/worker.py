"""The worker: takes one job after the other, and says what became of each."""

from __future__ import annotations

import errno
import logging
import secrets
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final, Protocol

from finetune.errors import FinetuneError
from finetune.jobs.files import disk_sentence
from finetune.jobs.job import Job, Json
from finetune.jobs.runs import Runs
from finetune.jobs.states import AFTER
from finetune.jobs.store import JobStore
from finetune.jobs.workers import new_name
from finetune.training.control import Control
from finetune.training.errors import RunStopped
from finetune.weights.depot import DepotError, DepotRefused
from finetune.work.watch import AsksEngine, Reason, Watch

_log = logging.getLogger(__name__)

_LEAST_FREE: Final = 20_000_000


class Trainer(Protocol):
    """What does the work of a job. Each method raises FinetuneError, or OSError."""

    def prepare(self, job: Job) -> None:
        """Bring what other machines have done of a job."""

    def train(self, job: Job, control: Control, *, is_over: bool) -> None:
        """Run a job, or go on with it, to a complete run; raises RunStopped.

        `is_over`: make a model of what it has learned already.
        """

    def release(self, job: Job) -> None:
        """Make the model of a complete run, so that it can be served."""

    def test(self, job: Job) -> Json:
        """Judge the model of a job on its locked part; return the figures."""


class Worker:
    """One process that trains. It holds nothing that a kill would lose."""

    def __init__(
        self,
        *,
        store: JobStore,
        runs: Runs,
        engine: AsksEngine,
        load_trainer: Callable[[], Trainer],
        place: str = "",
    ) -> None:
        """`load_trainer` is called for the first job: it imports torch.

        `place` is the name of this machine among others.
        """
        self.name = new_name(place)
        self.leaving = threading.Event()
        self._store = store
        self._runs = runs
        self._engine = engine
        self._load_trainer = load_trainer
        self._trainer: Trainer | None = None
        # Whoever holds it works; a second thread that is woken does not.
        self._working = threading.Lock()

    def work(self) -> None:
        """Do all there is to do, until nothing waits or the worker is to leave.

        Does nothing if another thread does it already.
        """
        if not self._working.acquire(blocking=False):
            return
        try:
            self._work()
        finally:
            self._working.release()

    def _work(self) -> None:
        while not self.leaving.is_set() and (job := self._store.take(self.name)):
            started = time.monotonic()
            try:
                if self._do(job) == "away":
                    return
            except FinetuneError as error:
                # What became of the job could not be written: it stays this worker's,
                # until it takes the next one, or this one again.
                _log.warning("%s: %s", job.id, error)
                return
            seconds = time.monotonic() - started
            _log.info("%s of %s: %.0f s", job.id, job.user or "nobody", seconds)

    def _do(self, job: Job) -> Reason:
        ended = self._attempt(job, is_over=job.wish == "keep")
        if ended == "keep":
            ended = self._attempt(job, is_over=True)
        match ended:
            case "pause" | "cancel":
                self._store.leave(job, AFTER[ended])
            case "leaving" | "away":
                self._store.give_back(job)
        return ended

    def _attempt(self, job: Job, *, is_over: bool) -> Reason:
        """Work on a job to its end; return why it was ended before, if it was."""
        control = Control()
        watch = Watch(
            job,
            control,
            store=self._store,
            engine=self._engine,
            leaving=self.leaving,
            ignores="keep" if is_over else "",
        )
        try:
            with watch:
                trainer = self._trainer = self._trainer or self._load_trainer()
                trainer.prepare(job)
                if job.status == "running":
                    self._train(trainer, job, control, is_over=is_over)
                else:
                    self._store.tested(job, trainer.test(job))
        except RunStopped:
            return watch.reason
        except DepotError as error:
            if isinstance(error, DepotRefused):
                self._fail(job, str(error))
                return ""
            # It waits with the job here, or goes on where the depot answers.
            _log.warning("%s: %s", job.id, error)
            return "away"
        except Exception as error:  # noqa: BLE001 -- border: one job
            self._fail(job, self._sentence(error))
        return ""

    def _train(
        self, trainer: Trainer, job: Job, control: Control, *, is_over: bool
    ) -> None:
        if not self._runs.is_complete(job.id):
            trainer.train(job, control, is_over=is_over)
        trainer.release(job)
        tokens = self._runs.log(job.id).step.get("tokens") or 0
        self._store.succeed(job, figures=self._runs.figures(job.id), tokens=tokens)

    def _fail(self, job: Job, error: str) -> None:
        _log.warning("%s failed: %s", job.id, error)
        if job.status == "running":
            self._store.fail(job, error)
        else:
            self._store.test_failed(job, error)

    def _sentence(self, error: Exception) -> str:
        """Say why a job failed, to the person whose job it is."""
        if isinstance(error, FinetuneError):
            return str(error)
        if isinstance(error, OSError):
            return disk_sentence(error, "The training")
        # Where, not what: the message may quote a row of somebody's data.
        mark = secrets.token_hex(4)
        trace = "".join(traceback.format_tb(error.__traceback__))
        _log.error("crash %s: %s\n%s", mark, type(error).__name__, trace)
        # Libraries have many names for it.
        if self._runs.free_bytes() < _LEAST_FREE:
            return disk_sentence(OSError(errno.ENOSPC, ""), "The training")
        return f"The training broke on something unexpected (mark {mark} in the log)."
