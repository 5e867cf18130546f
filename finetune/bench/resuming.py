"""`bench-resume`: a training worker ended at random steps, and what its runs come to.

Two kinds of runs, a small model from nothing and a small LoRA, are each made once
without a disturbance. Then run after run is disturbed once: a real worker in a process
of its own is killed (SIGKILL), or asked to leave (SIGTERM), at a random step, and the
next one carries on. The held-out loss must come to that of the undisturbed run, and
every update must be there once.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from finetune.bench.table import table
from finetune.errors import FinetuneError
from finetune.jobs.asking import Asked, build_recipe
from finetune.jobs.job import Job, NewJob
from finetune.jobs.learning import Learning
from finetune.jobs.queue import Queue
from finetune.settings import Settings

TOLERANCE: Final = 1e-3
# Short: judging what is held out would take longer than learning.
TEXT: Final = "\n".join(
    f"Soup {n} has {n} leeks, {n + 1} onions and some salt." for n in range(120)
)
# Of the model from nothing and of the LoRA; both learn for some seconds.
KINDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "from nothing": (
        "fresh-small",
        {
            "fresh": {"vocabulary": 256, "layers": 2, "width": 64, "heads": 2},
            "block": 64,
            "rows": 4,
            "updates": 400,
            "epochs": 1_000,
        },
    ),
    "LoRA": (
        "smollm2",
        {
            "lora": {"rank": 4, "alpha": 8},
            "block": 64,
            "rows": 1,
            "updates": 16,
            "epochs": 1_000,
        },
    ),
}
_PATIENCE: Final = 3_600.0
_LOOK_SECONDS: Final = 0.1
# It is ended somewhere within the step, or while a checkpoint is written.
_WITHIN_SECONDS: Final = 0.4


class BenchFailed(FinetuneError):
    """A run did not get where it should; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that was disturbed: at which update, and from which one it went on.

    `went_on` is 1 where no checkpoint had been written yet.
    """

    kind: str
    ended_by: str
    at: int
    went_on: int
    updates: int
    loss: float
    wanted: float
    is_whole: bool

    @property
    def is_same(self) -> bool:
        """Whether nothing is lost: the loss, and each update once."""
        return self.is_whole and abs(self.loss - self.wanted) <= TOLERANCE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--kills", type=int, default=10, help="runs of each kind")
    parser.add_argument(
        "--stops", type=int, default=3, help="runs that SIGTERM ends, of each kind"
    )
    parser.add_argument("--kind", choices=sorted(KINDS), help="only this one")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Run the bench in an instance of its own; return 1 if a run came out otherwise."""
    kinds = [chosen.kind] if chosen.kind else list(KINDS)
    rng = random.Random(chosen.seed)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="wordkeep-resume-") as folder:
        own = {"instance": Path(folder), "save_seconds": 1}
        bench = _Bench(Learning(settings.model_copy(update=own)), rng)
        try:
            for kind in kinds:
                outcomes += bench.kind(kind, kills=chosen.kills, stops=chosen.stops)
        finally:
            bench.close()
    sys.stdout.write(
        json.dumps([asdict(one) for one in outcomes], indent=2) + "\n"
        if chosen.json
        else _table(outcomes)
    )
    return 0 if all(one.is_same for one in outcomes) else 1


class _Bench:
    """An instance with one worker at a time."""

    def __init__(self, learning: Learning, rng: random.Random) -> None:
        self._learning = learning
        self._rng = rng
        self._data = learning.files.add(
            io.BytesIO(TEXT.encode()), filename="soups.txt", purpose="fine-tune"
        ).id
        self._worker: subprocess.Popen[bytes] | None = None

    def kind(self, kind: str, *, kills: int, stops: int) -> list[Outcome]:
        """Make a run in peace, and then all those that are disturbed."""
        whole = self._add(kind, "whole")
        self._start()
        self._until(whole, lambda: self._is_over(whole))
        wanted = self._loss(whole)
        ends = enumerate(["SIGKILL"] * kills + ["SIGTERM"] * stops)
        return [
            self._disturbed(kind, self._add(kind, f"{by.lower()}{number}"), by, wanted)
            for number, by in ends
        ]

    def _disturbed(self, kind: str, job: Job, by: str, wanted: float) -> Outcome:
        """Let a run get to a random step, end its worker there, and start another."""
        at = self._rng.randrange(1, job.recipe["updates"])
        self._until(job, lambda: self._update(job) >= at)
        time.sleep(self._rng.uniform(0, _WITHIN_SECONDS))
        reached = self._update(job)
        self._end(by)
        self._start()
        self._until(job, lambda: self._is_over(job))
        outcome = self._outcome(kind, by, reached, job, wanted)
        # It takes long; whoever ends it early has what was found so far.
        sys.stderr.write(f"{outcome}\n")
        return outcome

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()

    def _add(self, kind: str, name: str) -> Job:
        base_name, recipe = KINDS[kind]
        base = self._learning.base(base_name)
        settings = {
            **recipe,
            # Chosen by a measurement, it may differ from run to run on a busy computer.
            "precision": "fp32",
            "log_every": 1,
            "data": {"text": "{text}"},
        }
        whole = build_recipe(
            Asked(recipe=settings),
            base,
            path=self._learning.data_path(self._data),
            minutes=self._learning.settings.job_minutes,
        )
        job = self._learning.jobs.create(
            NewJob(
                user="bench",
                name=f"{name}-{base_name}",
                model=base_name,
                training_file=self._data,
                asked={},
                recipe=whole.model_dump(mode="json"),
                expected=0.0,
            ),
            most=2,
        )
        Queue(self._learning.settings).wake()
        return job

    def _start(self) -> None:
        settings = self._learning.settings
        env = {"WORDKEEP_SIDECAR_SAVE_SECONDS": str(settings.save_seconds)}
        with (settings.instance / "worker.log").open("ab") as log:
            self._worker = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "finetune", "work"),
                    *("--instance", str(settings.instance)),
                ],
                env={**os.environ, **env},
                stdout=log,
                stderr=log,
            )

    def _end(self, by: str) -> None:
        assert self._worker is not None  # noqa: S101 -- it was started
        self._worker.send_signal(getattr(signal, by))
        status = self._worker.wait(_PATIENCE)
        if by == "SIGTERM" and status != 0:
            raise BenchFailed(f"The worker left with status {status} when asked to.")

    def _until(self, job: Job, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not is_so():
            now = self._learning.jobs.get(job.id)
            if now.status not in ("queued", "running", "succeeded"):
                raise BenchFailed(f"{job.name} is {now.status}: {now.error}")
            if time.monotonic() > end:
                raise BenchFailed(f"{job.name} did not get on for {_PATIENCE:.0f} s.")
            time.sleep(_LOOK_SECONDS)

    def _is_over(self, job: Job) -> bool:
        return self._learning.jobs.get(job.id).status == "succeeded"

    def _update(self, job: Job) -> int:
        found: int = self._learning.runs.log(job.id).step.get("update", 0)
        return found

    def _loss(self, job: Job) -> float:
        loss: float = self._learning.jobs.get(job.id).figures["heldout_loss"]
        return loss

    def _outcome(
        self, kind: str, by: str, reached: int, job: Job, wanted: float
    ) -> Outcome:
        log = self._learning.runs.log(job.id)
        updates = job.recipe["updates"]
        return Outcome(
            kind=kind,
            ended_by=by,
            at=reached,
            went_on=_went_on(log.events),
            updates=updates,
            loss=self._loss(job),
            wanted=wanted,
            is_whole=sorted(log.steps) == list(range(1, updates + 1)),
        )


def _went_on(events: Sequence[dict[str, Any]]) -> int:
    """Return the first update after the last start."""
    starts = [n for n, event in enumerate(events) if event["event"] == "started"]
    later = (e["update"] for e in events[starts[-1] :] if e["event"] == "step")
    return next(later, 0)


def _table(outcomes: Sequence[Outcome]) -> str:
    rows = [
        [
            f"{one.kind}, {one.ended_by}",
            f"{one.at} of {one.updates}",
            str(one.went_on),
            f"{one.loss:.6f}",
            f"{one.loss - one.wanted:+.1e}",
            "yes" if one.is_same else "NO",
        ]
        for one in outcomes
    ]
    head = ["run", "ended at", "went on from", "held-out loss", "difference", "same"]
    same = sum(one.is_same for one in outcomes)
    return f"\n{table(head, rows)}\n{same} of {len(outcomes)} came to the same.\n"
