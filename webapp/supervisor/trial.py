"""A whole Wordkeep on an instance of its own: for benches, tests and the picture."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from webapp.files import write_whole
from webapp.llm.endpoints import LOCAL
from webapp.llm.scripted import stand_in_models
from webapp.settings import PROJECT
from webapp.supervisor.checks import StartError, prepare_instance
from webapp.supervisor.child import die_with_parent

READY_SECONDS = 240.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A running `up`: its address, folder and process."""

    url: str
    instance: Path
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        """Return what `up` printed so far."""
        return (self.instance / "up.out").read_text(errors="replace")


@contextmanager
def trial_site(
    instance: Path,
    *,
    scripted: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Trial]:
    """Start `up` in `instance`, wait until it is ready, and stop it at the end.

    `scripted` names a behaviour of the scripted model (such as keeper) that is used
    instead of the real one. Raises StartError with what `up` said if it fails.
    """
    prepare_instance(instance)
    if scripted is not None:
        write_whole(instance / "endpoints.yaml", scripted_endpoints(scripted))
    process = _start(instance, env or {})
    try:
        yield _await_ready(Trial("", instance, process))
    finally:
        stop(process)


def scripted_endpoints(behaviour: str) -> str:
    """Return an endpoints.yaml whose models answer by rules and load nothing."""
    models = stand_in_models(behaviour)
    entry = {"name": LOCAL, "kind": "scripted", "models": models}
    return yaml.safe_dump({"endpoints": [entry]}, sort_keys=False)


def stop(process: subprocess.Popen[bytes]) -> int:
    """End `up` as Ctrl-C does; return its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _start(instance: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with (instance / "up.out").open("wb") as output:
        return subprocess.Popen(
            (
                *(sys.executable, "-P", "-m", "webapp.cli", "up"),
                *("--port", "0", "--instance", str(instance)),
            ),
            env={**os.environ, "PYTHONPATH": str(PROJECT), **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(os.getpid()),
        )


def _await_ready(trial: Trial) -> Trial:
    """Return the trial with its address, once it has said it."""
    deadline = time.monotonic() + READY_SECONDS
    while not (ready := re.search(r"Ready after .* s: (http\S+)\n", trial.said())):
        if trial.process.poll() is not None or time.monotonic() > deadline:
            raise StartError(f"Wordkeep did not start:\n{trial.said()}")
        time.sleep(0.05)
    return replace(trial, url=ready[1])
