"""How many rows are worked on at a time: fewer, once the memory has run out."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

from finetune.training.errors import TrainingError
from finetune.training.events import Emit, Smaller

T = TypeVar("T")
# How torch says that the memory of a processor is not enough; a GPU has its own error.
_SAID = ("not enough memory", "can't allocate memory", "out of memory")


class Batches:
    """The size of a batch. An update keeps its rows, so it learns the same."""

    def __init__(
        self, rows: int, accumulate: int, *, emit: Emit, can_shrink: bool = True
    ) -> None:
        """Several processes must not differ: for them it cannot shrink."""
        self.rows = rows
        self._accumulate = accumulate
        self._emit = emit
        self._can_shrink = can_shrink

    def fitted(self, work: Callable[[int], T]) -> T:
        """Return what `work` makes of so many rows at a time.

        When the memory runs out it is begun again with half of them, which is told.
        Raises TrainingError if not even one row fits.
        """
        while True:
            try:
                return work(self.rows)
            except (MemoryError, RuntimeError) as error:
                if not _is_memory(error):
                    raise
                if self.rows == 1 or not self._can_shrink:
                    raise TrainingError(self._advice()) from error
            self._halve()

    def _halve(self) -> None:
        smaller = self.rows // 2
        self._accumulate *= -(-self.rows // smaller)
        self.rows = smaller
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._emit(Smaller(rows=self.rows, accumulate=self._accumulate))

    def _advice(self) -> str:
        rows = "one row" if self.rows == 1 else f"{self.rows} rows"
        return (
            f"There is not enough memory to learn from {rows} at a time: lower block"
            " or rows, choose a smaller model, or train adapters with lora."
        )


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(said in str(error) for said in _SAID)
