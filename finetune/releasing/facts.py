"""What is known of a complete run, from its files alone."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import ValidationError

from finetune.recipes.lm import LmRecipe
from finetune.training.events import EVENTS
from finetune.training.files import RUN
from finetune.weights.releases import ReleaseError

# Bytes of a number: as it is learned, with its gradient, and with Adam's two means.
_FULL, _HALF, _ADAM = 4, 2, 8
_CPU_INFO = Path("/proc/cpuinfo")


class Sample(NamedTuple):
    """What the model wrote after so many updates."""

    update: int
    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A run in numbers. Rows are packed rows, `tokens` those that it has read."""

    recipe: LmRecipe
    figures: Mapping[str, float]
    seconds: float
    learned_seconds: float
    train: int
    held_out: int
    data_tokens: int
    updates: int
    tokens: int
    learned: int
    parameters: int
    precision: str
    machine: str
    samples: tuple[Sample, ...]

    @property
    def is_chat(self) -> bool:
        """Whether it answers in turns."""
        return getattr(self.recipe.data, "is_chat", True)

    @property
    def weight_bytes(self) -> int:
        """Memory of the weights while it learned."""
        is_small = self.precision == "bf16" and self.recipe.adapters is not None
        kept = self.parameters - self.learned
        return self.learned * _FULL + kept * (_HALF if is_small else _FULL)

    @property
    def gradient_bytes(self) -> int:
        """Memory of the gradients."""
        return self.learned * _FULL

    @property
    def optimizer_bytes(self) -> int:
        """Memory of what the optimizer remembers."""
        return self.learned * _ADAM


def read_facts(run: Path) -> Facts:
    """Read what a run has written; raise ReleaseError if it is not complete."""
    try:
        told = json.loads((run / RUN).read_text("utf-8"))
        recipe = LmRecipe.model_validate(told["recipe"])
        events = _events(run / EVENTS)
        rows, stage, step = (_last(events, name) for name in ("rows", "stage", "step"))
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise ReleaseError(
            f"{run} holds no complete run of a language model: train it to its end."
        ) from error
    return Facts(
        recipe=recipe,
        figures=told["figures"],
        seconds=float(told["seconds"]),
        learned_seconds=float(step["seconds"]),
        train=rows["train"],
        held_out=rows["held_out"] or 0,
        data_tokens=rows["tokens"] or 0,
        updates=step["update"],
        tokens=step["tokens"] or 0,
        learned=stage["learned"],
        parameters=stage["parameters"],
        precision=stage["precision"],
        machine=machine(stage["device"]),
        samples=_samples(events),
    )


def machine(device: str) -> str:
    """Return what this machine computes with, in words."""
    cores = f"{os.cpu_count()} cores"
    if device.startswith("cuda") and torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {cores}"
    name = platform.processor() or platform.machine()
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {cores}"


def _events(path: Path) -> list[dict[str, Any]]:
    """Return what was told; of a process that was killed a line may be half-written."""
    events = []
    for line in path.read_text("utf-8").split("\n"):
        with suppress(ValueError):
            events.append(json.loads(line))
    return events


def _last(events: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = [event for event in events if event["event"] == name]
    if not found:
        raise ValueError(f"no event {name}")
    return found[-1]


def _samples(events: list[dict[str, Any]]) -> tuple[Sample, ...]:
    """Return the first, the middle and the last that it wrote; each update once."""
    found = {
        event["update"]: Sample(event["update"], event["prompt"], event["text"])
        for event in events
        if event["event"] == "sampled"
    }
    written = [found[update] for update in sorted(found)]
    if len(written) <= 3:
        return tuple(written)
    return written[0], written[len(written) // 2], written[-1]
