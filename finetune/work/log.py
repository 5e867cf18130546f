"""The events of a run, written into its folder as it goes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.training.events import Emit, Event, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Event):
    """Something that the worker says beside the run."""

    event = "told"
    message: str


@contextmanager
def telling(path: Path) -> Iterator[Emit]:
    """Yield what adds events to a log; raise OSError if the disk does not take them.

    It is only ever added to: what an earlier start told is part of the run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        if log.tell() and not _ends_a_line(path):
            log.write(b"\n")  # the worker before was killed while it wrote

        def emit(event: Event) -> None:
            _write(log, {"time": round(time.time(), 1), **record(event)})

        yield emit


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _write(log: Any, row: dict[str, Any]) -> None:
    log.write(json.dumps(row).encode() + b"\n")
    log.flush()
