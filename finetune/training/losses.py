"""The losses of the latest updates, left on the device until somebody reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from finetune.training.errors import TrainingError


class Losses:
    """Reading a number of a GPU waits for all its work, so it is done now and then."""

    def __init__(self, hint: str) -> None:
        """`hint` says what helps against a loss that is not a number."""
        self._hint = hint
        self._losses: list[Tensor] = []
        self._parts: list[Mapping[str, Tensor]] = []

    def add(self, loss: Tensor | None, parts: Mapping[str, Tensor] | None) -> None:
        """Add what an update had; both hold single numbers."""
        if loss is not None:
            self._losses.append(loss.detach())
        if parts is not None:
            self._parts.append({name: part.detach() for name, part in parts.items()})

    def mean(self) -> float | None:
        """Return the mean; raise TrainingError if it is not a number any more."""
        if not self._losses:
            return None
        loss = float(torch.stack(self._losses).mean())
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is not a number any more: {self._hint}."
                " The last checkpoint is from before."
            )
        return loss

    def parts(self) -> dict[str, float]:
        """Return the mean of each part; an update without it counts as 0."""
        names = sorted({name for parts in self._parts for name in parts})
        return {name: self._part(name) for name in names}

    def clear(self) -> None:
        """Begin again with none."""
        self._losses, self._parts = [], []

    def _part(self, name: str) -> float:
        found = [parts[name] for parts in self._parts if name in parts]
        return float(torch.stack(found).sum()) / len(self._parts)
