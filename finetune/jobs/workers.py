"""Which worker a process is, and whether the one that has a job is gone."""

from __future__ import annotations

import os
import platform
import secrets
from typing import Final

import psutil

# A worker is heard every other second. One on another machine that is silent for so
# long is taken for dead.
SILENT_SECONDS: Final = 30.0


def new_name() -> str:
    """Return a name for a worker of this process: machine, id, when that began."""
    began = psutil.Process().create_time()
    # Several in one process differ by a mark.
    return f"{platform.node()}:{os.getpid()}:{began:.2f}:{secrets.token_hex(3)}"


def own_machine() -> str:
    """Return a few words for this machine, which say nothing of whose it is."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    memory = round(psutil.virtual_memory().total / 1e9)
    counted = "1 core" if cores == 1 else f"{cores} cores"
    return f"{platform.system()} {platform.machine()}, {counted}, {memory} GB"


def is_gone(worker: str, *, heard: float, now: float) -> bool:
    """Say whether a worker is dead: here by its process, elsewhere by its silence.

    A laptop that slept has silent workers that are not dead.
    """
    machine, pid, began, _ = worker.rsplit(":", 3)
    if machine != platform.node():
        return now - heard > SILENT_SECONDS
    try:
        process = psutil.Process(int(pid))
        is_same = abs(process.create_time() - float(began)) < 1
        return not is_same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
