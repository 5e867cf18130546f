"""A training worker in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.sidecar import PATIENCE


@dataclass(frozen=True, slots=True)
class RunningWorker:
    """A worker that takes jobs of an instance."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to leave; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def running_worker(instance: Path, **settings: object) -> Iterator[RunningWorker]:
    """Start `python -m finetune work` for an instance."""
    env = {f"WORDKEEP_SIDECAR_{name.upper()}": str(v) for name, v in settings.items()}
    log = instance / "worker.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "finetune", "work", "--instance", str(instance)],
            env={**os.environ, **env},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    worker = RunningWorker(process, log)
    try:
        yield worker
    finally:
        if process.poll() is None:
            worker.kill()
