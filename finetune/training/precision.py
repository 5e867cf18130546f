"""Whether a run computes in 16 bits, and where."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from finetune.training.course import Course
from finetune.weights.halves import is_bf16_faster


def this_device() -> torch.device:
    """Return the GPU, or else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def uses_bf16(precision: str, course: Course) -> bool:
    """Return whether a run computes in bf16: as its recipe says, or where it is faster.

    A probe finds that out, once for the run: going on, it must not come to another end.
    """
    if precision != "auto":
        return precision == "bf16"
    return course.once("bf16", lambda: is_bf16_faster(this_device()))


def new_accelerator(*, is_bf16: bool) -> Accelerator:
    """Return what a run computes with, whatever the one before it computed with.

    accelerate keeps one precision for a whole process, and refuses another; a worker
    makes many runs, and the faster precision of one may not be that of the next.
    """
    AcceleratorState._reset_state()
    return Accelerator(mixed_precision="bf16" if is_bf16 else "no")
