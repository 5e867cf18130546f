"""Carries what a run writes between this machine and the depot.

The log goes there as it grows, and the run with each checkpoint, so that another
machine can go on should this one be lost. Of two states of a run the one that is
further counts: they come to the same model.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from pathlib import Path
from types import TracebackType
from typing import Final

from finetune.jobs.following import MODELS, RUNS
from finetune.jobs.job import Job
from finetune.jobs.runs import Runs
from finetune.training.events import EVENTS, Emit, Event, Saved
from finetune.weights.depot import Depot, DepotError
from finetune.weights.files import remove, write_json

_log = logging.getLogger(__name__)

_SEND_SECONDS: Final = 1.0
# Written with each checkpoint, so that it is known without reading the weights.
_SAVED: Final = "saved.json"
_COMPLETE: Final = 10**9
# The log goes by itself; the others can be made again, or are not whole.
_NOT_SENT: Final = ("sizes", "checkpoint.new", "checkpoint.old")


def bring_run(job: Job, *, runs: Runs, depot: Depot) -> None:
    """Fetch a run if it is further in the depot than here; raise DepotError."""
    bundle = depot.look(f"{RUNS}/{job.id}")
    if bundle is not None and bundle.progress > _progress(runs, job.id):
        depot.bring(f"{RUNS}/{job.id}", runs.folder(job.id))
    depot.bring_log(job.id, runs.events_file(job.id))


def send_result(job: Job, model: Path, *, runs: Runs, depot: Depot) -> None:
    """Put a complete run and its model into the depot; raise DepotError."""
    if not depot.is_shared:
        return
    run = runs.folder(job.id)
    depot.send(f"{RUNS}/{job.id}", _files(run), progress=_COMPLETE)
    depot.send_log(job.id, runs.events_file(job.id))
    depot.send(f"{MODELS}/{job.name}", _files(model))


class Courier:
    """A thread that sends, for as long as one run goes on.

    As a context it is what the run tells its events to. While the depot does not
    answer, the run goes on, and the newest checkpoint waits.
    """

    def __init__(
        self, job: Job, emit: Emit, *, runs: Runs, depot: Depot, outgoing: Path
    ) -> None:
        self._job = job
        self._emit = emit
        self._runs = runs
        self._depot = depot
        self._outgoing = outgoing / job.id
        self._over = threading.Event()
        self._lock = threading.Lock()  # protects what waits
        self._waiting: tuple[Path, int] | None = None
        self._log_bytes = 0
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def __enter__(self) -> Emit:
        remove(self._outgoing)
        if not self._depot.is_shared:
            return self._emit
        self._thread.start()
        return self._hear

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._over.set()
            self._thread.join()
            self._send()
            remove(self._outgoing)

    def _hear(self, event: Event) -> None:
        self._emit(event)
        if isinstance(event, Saved):
            self._pack(event.update)

    def _pack(self, update: int) -> None:
        """Set the checkpoint aside, as links: the run replaces its files by others."""
        run = self._runs.folder(self._job.id)
        write_json(run / _SAVED, {"update": update})
        packed = self._outgoing / str(update)
        for name, path in _files(run).items():
            (packed / name).parent.mkdir(parents=True, exist_ok=True)
            _set_aside(path, packed / name)
        with self._lock:
            before, self._waiting = self._waiting, (packed, update)
        if before is not None:
            remove(before[0])

    def _run(self) -> None:
        while not self._over.wait(_SEND_SECONDS):
            self._send()

    def _send(self) -> None:
        try:
            self._send_log()
            self._send_run()
        except (DepotError, OSError) as error:
            # The run goes on; the next time tries again.
            _log.warning("%s: %s", self._job.id, error)

    def _send_log(self) -> None:
        path = self._runs.events_file(self._job.id)
        size = path.stat().st_size
        if size != self._log_bytes:
            self._depot.send_log(self._job.id, path)
            self._log_bytes = size

    def _send_run(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        packed, update = waiting
        key = f"{RUNS}/{self._job.id}"
        try:
            there = self._depot.look(key)
            if there is None or there.progress < update:
                self._depot.send(key, _files(packed), progress=update)
        except (DepotError, OSError):
            with self._lock:
                self._waiting = self._waiting or waiting
            raise
        remove(packed)


def _set_aside(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except OSError:  # some drives have no links
        shutil.copyfile(path, place)


def _files(folder: Path) -> dict[str, Path]:
    """Return the files of a run or of a model, by their names in it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_sent = name.parts[0] not in _NOT_SENT and name.name != EVENTS
        if is_sent and path.is_file() and path.suffix != ".new":
            found[str(name)] = path
    return found


def _progress(runs: Runs, job_id: str) -> int:
    """Return how far a run is on this machine; -1 if it has not begun."""
    if runs.is_complete(job_id):
        return _COMPLETE
    if not runs.has_checkpoint(job_id):
        return -1
    try:
        saved = json.loads((runs.folder(job_id) / _SAVED).read_text("utf-8"))
    except FileNotFoundError:
        return 0
    return int(saved["update"])
