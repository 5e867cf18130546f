"""Which worker a process is, and whether the one that has a job is gone."""

from __future__ import annotations

import os
import platform
import secrets
from pathlib import Path
from typing import Final

import psutil

# A worker is heard every other second. One on another machine that is silent for so
# long is taken for dead.
SILENT_SECONDS: Final = 30.0
_STARTED: Final = Path("/proc/sys/kernel/random/boot_id")


def own_place() -> str:
    """Return a name for this machine that no other one has until it starts again.

    Machines of one image may have one name; their starts differ.
    """
    try:
        start = _STARTED.read_text("ascii").strip()[:8]
    except OSError:
        start = f"{psutil.boot_time():.0f}"
    return f"{platform.node()}/{start}"


def new_name(place: str = "") -> str:
    """Return a name for a worker of this process: machine, id, when that began."""
    began = psutil.Process().create_time()
    # Several in one process differ by a mark.
    mark = secrets.token_hex(3)
    return f"{place or own_place()}:{os.getpid()}:{began:.2f}:{mark}"


def own_machine() -> str:
    """Return a few words for this machine, which say nothing of whose it is."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    memory = round(psutil.virtual_memory().total / 1e9)
    counted = "1 core" if cores == 1 else f"{cores} cores"
    return f"{platform.system()} {platform.machine()}, {counted}, {memory} GB"


def is_gone(worker: str, *, own: str, silence: float, patience: float) -> bool:
    """Say whether a worker is dead: here by its process, elsewhere by its silence.

    `own` is the name of this machine. A laptop that slept has silent workers that are
    not dead.
    """
    machine, pid, began, _ = worker.rsplit(":", 3)
    if machine != own:
        return silence > patience
    try:
        process = psutil.Process(int(pid))
        is_same = abs(process.create_time() - float(began)) < 1
        return not is_same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
