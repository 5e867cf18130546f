"""What training on some rows costs, and what the machine could do at most."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from finetune.data.packing import IGNORE, Document, PackedRows

_PEAK_SECONDS = 2.0
_SIDE = {"cpu": 2048, "cuda": 8192}


class Texts(NamedTuple):
    """The documents of packed rows: their tokens, without filling.

    `context` is how many tokens a token looks at, itself among them, on average;
    `answers` is the share of tokens that are learned from.
    """

    tokens: int
    context: float
    answers: float


@dataclass(frozen=True, slots=True)
class Weights:
    """Sizes of what a token is multiplied with.

    `blocks` and `head` are frozen weights, `learned` all others; `attention` is
    layers times the width of all heads.
    """

    blocks: int
    head: int
    learned: int
    attention: int


def documents(rows: PackedRows, filler: int) -> list[Document]:
    """Take packed rows apart again; what fills up a row is not a document."""
    found = []
    for ids, targets, numbers in zip(
        rows.ids.tolist(), rows.targets.tolist(), rows.document.tolist(), strict=True
    ):
        for start, end in _runs(numbers):
            document = Document(ids[start:end], targets[start:end])
            is_filling = set(document.ids) == {filler} and end == len(ids)
            if not is_filling or set(document.targets) != {IGNORE}:
                found.append(document)
    return found


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for _, run in groupby(numbers):
        end = start + len(list(run))
        yield start, end
        start = end


def measure_texts(found: Sequence[Document]) -> Texts:
    """Count what documents are made of."""
    sizes = [len(document.ids) for document in found]
    tokens = max(1, sum(sizes))
    looked_at = sum(size * (size + 1) // 2 for size in sizes)
    learned = sum(target != IGNORE for d in found for target in d.targets)
    return Texts(tokens, looked_at / tokens, learned / tokens)


def measure_weights(model: Any) -> Weights:
    """Count the weights of a causal language model, with or without adapters.

    Where its head is learned, it is its table of tokens, too, and counts once.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    frozen = [
        module.weight
        for module in inner.model.modules()
        if isinstance(module, nn.Linear) and not module.weight.requires_grad
    ]
    config = inner.config
    width = config.num_attention_heads * (
        getattr(config, "head_dim", None)
        or config.hidden_size // config.num_attention_heads
    )
    return Weights(
        blocks=sum(weight.numel() for weight in frozen),
        head=0 if inner.lm_head.weight.requires_grad else inner.lm_head.weight.numel(),
        learned=sum(p.numel() for p in model.parameters() if p.requires_grad),
        attention=config.num_hidden_layers * width,
    )


def flops_per_token(weights: Weights, texts: Texts) -> float:
    """Return the operations that training needs for one token of a document.

    Counted as in PaLM (Chowdhery et al. 2022, arXiv 2204.02311, appendix B), where a
    weight costs 6 a token: 2 forward, 2 for the gradient of what goes in, and 2 for its
    own gradient, and attention costs 12 × layers × width × context. Here

        4 × blocks + 6 × learned + 12 × attention × context + 4 × head × answers

    because a frozen weight has no gradient of its own, a token looks at earlier tokens
    of its document only, and the vocabulary is needed only where there is an answer.
    What a loop computes beyond that (filling, the vocabulary at other places, adapters
    apart from their weights) does not count as work.
    """
    return (
        4 * weights.blocks
        + 6 * weights.learned
        + 12 * weights.attention * texts.context
        + 4 * weights.head * texts.answers
    )


def peak_flops(device: torch.device, dtype: torch.dtype) -> float:
    """Return the operations per second of the quickest of many large products.

    In 32 bits as well: a processor that only emulates `dtype` computes in those.
    """
    return max(_quickest(device, each) for each in {dtype, torch.float32})


def _quickest(device: torch.device, dtype: torch.dtype) -> float:
    side = _SIDE.get(device.type, _SIDE["cpu"])
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    ends = time.perf_counter() + _PEAK_SECONDS
    while time.perf_counter() < ends or best == float("inf"):
        best = min(best, timed(lambda: a @ b, device))
    return float(2 * side**3 / best)


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that some work takes on a device."""
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


def wait_for(device: torch.device) -> None:
    """Wait until a device has done all that it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory() -> int:
    """Return the most bytes that this process held in memory."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Unlike the figure of getrusage, not that of the process that started this one.
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
