"""How far a run is, by the events that it writes into its folder.

The vocabulary is that of finetune/training/events.py. A run that goes on after a crash
tells some steps again; those told later count.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from finetune.jobs.errors import NoSuch
from finetune.weights.files import remove
from finetune.weights.releases import NOT_SERVED

Json = dict[str, Any]
Point = tuple[int, float]

_EVENTS, _BEGUN, _RUN = "events.jsonl", "checkpoint/begun.json", "run.json"
_MOST_POINTS: Final = 500
_MOST_LOGS: Final = 64


@dataclass(slots=True)
class RunLog:
    """What one run has told so far."""

    path: Path
    events: list[Json] = field(default_factory=list)
    steps: dict[int, Json] = field(default_factory=dict)
    judged: dict[int, Json] = field(default_factory=dict)
    samples: dict[int, Json] = field(default_factory=dict)
    stage: Json = field(default_factory=dict)
    rows: Json = field(default_factory=dict)
    _offset: int = 0

    def catch_up(self) -> None:
        """Read what was added since the last time."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                added = file.read()
        except FileNotFoundError:
            return
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                # What is no number is no point of a curve either.
                event = json.loads(line, parse_constant=lambda _: None)
            except ValueError:
                continue  # the worker was killed while it wrote
            if isinstance(event, dict):
                self._hear(event)

    @property
    def step(self) -> Json:
        """The last step; empty before the first."""
        return self.steps[max(self.steps)] if self.steps else {}

    def last_judged(self) -> Json:
        """Return the figures on held-out rows, as of the last time; or empty."""
        return self.judged[max(self.judged)]["figures"] if self.judged else {}

    def curves(self) -> Json:
        """Return what a page draws: lists of [update, value], and samples."""
        steps = self.steps.values()
        held_out = (
            (update, event["figures"].get("heldout_loss"))
            for update, event in self.judged.items()
        )
        return {
            "train": _thinned((s["update"], s.get("loss")) for s in steps),
            "heldout": _thinned(held_out),
            "rate": _thinned((s["update"], s.get("rate")) for s in steps),
            "speed": _thinned((s["update"], s.get("tokens_per_second")) for s in steps),
            "samples": [
                {name: event.get(name) for name in ("update", "prompt", "text")}
                for event in _some(list(self.samples.values()))
            ],
        }

    def _hear(self, event: Json) -> None:
        self.events.append(event)
        match event.get("event"):
            case "stage":
                self.stage = event
                self._forget_after(event["update"])
            case "rows":
                self.rows = event
            case "step":
                self.steps[event["update"]] = event
            case "judged":
                self.judged[event["update"]] = event
            case "sampled":
                self.samples[event["update"]] = event

    def _forget_after(self, update: int) -> None:
        for told in (self.steps, self.judged, self.samples):
            for number in [number for number in told if number > update]:
                del told[number]


class Runs:
    """The folders of all runs. Safe to use from many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()  # protects the logs
        self._logs: OrderedDict[str, RunLog] = OrderedDict()

    def folder(self, job_id: str) -> Path:
        """Return the folder of a job's run; it may not be there yet."""
        return self._folder / job_id

    def events_file(self, job_id: str) -> Path:
        """Return where the run of a job tells how far it is."""
        return self.folder(job_id) / _EVENTS

    def has_checkpoint(self, job_id: str) -> bool:
        """Whether a run has begun and can go on from where it was."""
        return (self.folder(job_id) / _BEGUN).is_file()

    def is_complete(self, job_id: str) -> bool:
        """Whether a run has come to its end."""
        return (self.folder(job_id) / _RUN).is_file()

    def figures(self, job_id: str) -> dict[str, float]:
        """Return the figures of a complete run; raise NoSuch if it is none."""
        try:
            run = json.loads((self.folder(job_id) / _RUN).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise NoSuch(f"The files of the run {job_id} are gone.") from error
        figures: dict[str, float] = run["figures"]
        return figures

    def not_served(self, job_id: str) -> str:
        """Return why the model of a job cannot be prompted here; empty if it can."""
        try:
            return (self.folder(job_id) / NOT_SERVED).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def drop_weights(self, job_id: str) -> None:
        """Delete what a run learned; its log stays. Raises OSError."""
        folder = self.folder(job_id)
        for path in (*folder.glob("*.safetensors"), folder / "sizes"):
            remove(path)

    def free_bytes(self) -> int:
        """Return how much the disk of the runs still takes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._folder).free

    def log(self, job_id: str) -> RunLog:
        """Return what a run has told, up to now; do not change it."""
        with self._lock:
            log = self._logs.pop(job_id, None) or RunLog(self.events_file(job_id))
            log.catch_up()
            self._logs[job_id] = log
            while len(self._logs) > _MOST_LOGS:
                self._logs.popitem(last=False)
            return log


def _thinned(points: Iterable[tuple[int, float | None]]) -> list[Point]:
    """Return at most 500 points that have a value: the first, the last, and between."""
    return _some(sorted((x, y) for x, y in points if y is not None))


def _some(found: list[Any]) -> list[Any]:
    if len(found) <= _MOST_POINTS:
        return found
    last = len(found) - 1
    return [found[round(n * last / (_MOST_POINTS - 1))] for n in range(_MOST_POINTS)]
