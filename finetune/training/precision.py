"""Whether a run computes in 16 bits, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from finetune.training.course import Course
from finetune.training.sharding import is_asked_for
from finetune.weights.halves import is_bf16_faster

if TYPE_CHECKING:
    from accelerate import Accelerator


def this_device() -> torch.device:
    """Return the GPU, or else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def uses_bf16(precision: str, course: Course) -> bool:
    """Return whether a run computes in bf16: as its recipe says, or where it is faster.

    A probe finds that out, once for the run: going on, it must not come to another end.
    """
    if precision != "auto":
        return precision == "bf16"
    return course.once("bf16", _is_bf16_faster)


def new_accelerator(*, is_bf16: bool) -> Accelerator:
    """Return what a run computes with, whatever the one before it computed with.

    accelerate keeps one precision for a whole process, and refuses another; a worker
    makes many runs, and the faster precision of one may not be that of the next.
    """
    from accelerate import Accelerator  # noqa: PLC0415 -- slow import
    from accelerate.state import AcceleratorState  # noqa: PLC0415 -- slow import

    AcceleratorState._reset_state()
    plugin = None
    if is_asked_for():
        from accelerate.utils import (  # noqa: PLC0415 -- slow import
            FullyShardedDataParallelPlugin,
        )

        # Or transformers would read the weights in the first process only.
        plugin = FullyShardedDataParallelPlugin(
            fsdp_version=2, cpu_ram_efficient_loading=False
        )
    return Accelerator(mixed_precision="bf16" if is_bf16 else "no", fsdp_plugin=plugin)


def _is_bf16_faster() -> bool:
    """Ask the device of the first process: all of a run must compute the same way."""
    from accelerate import PartialState  # noqa: PLC0415 -- slow import
    from accelerate.utils import broadcast_object_list  # noqa: PLC0415 -- slow import

    PartialState()  # gives each process its device
    found = [is_bf16_faster(this_device())]
    broadcast_object_list(found)
    return found[0]
