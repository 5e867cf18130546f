"""Which type of number a device multiplies faster. It needs torch and nothing else."""

from __future__ import annotations

import time

import torch

# Large enough to show what the processor can do; where bf16 is emulated, a large
# product takes seconds.
_PROBE_SIZE = {"cpu": 256, "cuda": 2048}
_PROBE_ROUNDS = 4


def is_bf16_faster(device: torch.device) -> bool:
    """Multiply matrices in both types and compare; processors without it emulate it."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        side = _PROBE_SIZE.get(device.type, _PROBE_SIZE["cpu"])
        a = torch.randn(side, side, device=device, dtype=dtype)
        a @ a  # the first one sets things up
        started = time.perf_counter()
        for _ in range(_PROBE_ROUNDS):
            a @ a
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds[dtype] = time.perf_counter() - started
    return seconds[torch.bfloat16] < 0.9 * seconds[torch.float32]
