"""How fast this machine learns: measured by its own runs, before that by a probe."""

from __future__ import annotations

import json
import math
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from finetune.recipes.lm import LmRecipe
from finetune.weights.files import write_json

# A shorter run says more of the start of a program than of its speed.
LEAST_SECONDS: Final = 3.0
_PROBE_SECONDS: Final = 0.5
_PROBE_ROUNDS: Final = 30
_PROBE_SIZE: Final = 512
# What training reaches of the speed of large products, until a run has shown it.
_PART_OF_PROBE: Final = 0.5
# The newest run counts as much as all before it.
_WEIGHT: Final = 0.5


class Speed(NamedTuple):
    """Operations a second that training reaches, and whether a run here showed it.

    `start_seconds` is what a run takes beside learning: loading, judging, writing.
    """

    flops: float
    start_seconds: float
    is_measured: bool


class Speeds:
    """The speeds of one machine, kept in a file of the instance."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, model: str, recipe: LmRecipe) -> Speed:
        """Return how fast a model learns in this way; probed if none ever did here."""
        found = self._read().get(_key(model, recipe))
        if found is not None:
            return Speed(found["flops"], found["start_seconds"], is_measured=True)
        start = 4.0 if recipe.lora is None else 15.0
        return Speed(_PART_OF_PROBE * probe(), start, is_measured=False)

    def note(
        self, model: str, recipe: LmRecipe, *, flops: float, start_seconds: float
    ) -> None:
        """Remember how fast a run was; raise OSError if it cannot be written."""
        known = self._read()
        key = _key(model, recipe)
        new = {"flops": flops, "start_seconds": start_seconds}
        old = known.get(key, new)
        known[key] = {
            name: _WEIGHT * new[name] + (1 - _WEIGHT) * old[name] for name in new
        }
        write_json(self._path, known)

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):  # none yet, or of another version
            return {}
        return found if isinstance(found, dict) else {}


def _key(model: str, recipe: LmRecipe) -> str:
    if recipe.lora is not None:
        return f"{model} lora"
    return f"{model} frozen" if recipe.frozen else f"{model} full"


@lru_cache(maxsize=1)
def probe() -> float:
    """Return the operations a second of large matrix products; takes half a second.

    The fastest counts: while others use the machine, the mean says more of them.
    """
    a = np.ones((_PROBE_SIZE, _PROBE_SIZE), np.float32)
    a @ a  # the first one sets things up
    best, rounds, end = math.inf, 0, time.perf_counter() + _PROBE_SECONDS
    while (started := time.perf_counter()) < end or rounds < _PROBE_ROUNDS:
        a @ a
        rounds += 1
        best = min(best, time.perf_counter() - started)
    return 2.0 * _PROBE_SIZE**3 / best
