"""Several processes that train one model: each learns from its share of the rows.

`accelerate launch` starts one process for each device. All make the same updates: they
add up their gradients, and agree on the clock and on the end. One process alone needs
none of this, and then everything here costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import torch

from finetune.training.sharding import is_part

if TYPE_CHECKING:
    from accelerate import Accelerator


class Processes:
    """What the processes of a run agree on; `None` stands for one process alone."""

    def __init__(self, accelerator: Accelerator | None = None) -> None:
        several = accelerator is not None and accelerator.num_processes > 1
        self._accelerator = accelerator if several else None
        self.count: int = accelerator.num_processes if accelerator else 1
        self.own: int = accelerator.process_index if accelerator else 0

    def sum(self, number: int) -> int:
        """Return the sum of a number over all processes."""
        if self._accelerator is None:
            return number
        own = torch.tensor(number, device=self._accelerator.device)
        return int(cast(torch.Tensor, self._accelerator.reduce(own, "sum")))

    def any(self, *wishes: bool) -> list[bool]:
        """Return for each wish whether any process has it."""
        if self._accelerator is None:
            return list(wishes)
        own = torch.tensor(wishes, dtype=torch.int32, device=self._accelerator.device)
        both = cast(torch.Tensor, self._accelerator.reduce(own, "sum"))
        return [count > 0 for count in both.tolist()]

    def of_first(self, seconds: float) -> float:
        """Return what the first process says, or each would have its own clock."""
        if self._accelerator is None:
            return seconds
        own = torch.tensor(
            [seconds], dtype=torch.float32, device=self._accelerator.device
        )
        return float(_broadcast(own))

    def number_of_first(self, number: int) -> int:
        """Return the whole number that the first process has."""
        if self._accelerator is None:
            return number
        own = torch.tensor([number], device=self._accelerator.device)
        return int(_broadcast(own))

    def add_gradients(self, weights: Iterable[torch.Tensor]) -> None:
        """Replace the gradient of each weight by its sum over all processes.

        Of a weight in parts (finetune/training/sharding.py) it is the sum already.
        """
        if self._accelerator is None:
            return
        for weight in weights:
            if is_part(weight):
                continue
            # A process that had nothing to learn from in this update has none.
            own = torch.zeros_like(weight) if weight.grad is None else weight.grad
            weight.grad = self._accelerator.reduce(own, "sum")

    def add(self, total: torch.Tensor) -> torch.Tensor:
        """Return the sum of a number that is still on the device."""
        if self._accelerator is None:
            return total
        return cast(torch.Tensor, self._accelerator.reduce(total, "sum"))

    def wait(self) -> None:
        """Wait until all have come here."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()


def _broadcast(own: torch.Tensor) -> torch.Tensor:
    from accelerate.utils import broadcast  # noqa: PLC0415 -- slow import

    return cast(torch.Tensor, broadcast(own))
