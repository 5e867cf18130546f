"""The runs of `bench train`, each in a process of its own; here that of our loop.

All runs learn the same adapters on the same base, from the same documents, with the
same settings of the optimizer and the same course of the learning rate; only the loop
differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator

from finetune.bench.work import (
    Texts,
    documents,
    flops_per_token,
    measure_texts,
    measure_weights,
    peak_flops,
    peak_memory,
)
from finetune.data.packing import PackedRows
from finetune.data.sources import DialogueRows, read_rows
from finetune.recipes.lm import LmRecipe
from finetune.training.course import Course
from finetune.training.judging import answer_loss
from finetune.training.lm import learn
from finetune.training.lora import prepare
from finetune.training.precision import uses_bf16
from finetune.weights.base import load_base

# Enough for a comparison on the same rows; they are judged many times.
_HELDOUT_ROWS = 32
NEVER = 10**9


class Point(NamedTuple):
    """The held-out loss after some seconds of training, without those of judging."""

    seconds: float
    tokens: float
    loss: float


@dataclass(frozen=True, slots=True)
class Job:
    """What to run; `rows` is a file of `write_rows`, `out` a folder to write to.

    `cache` is where models are kept.
    """

    recipe: LmRecipe
    rows: Path
    out: Path
    cache: Path


class SavedRows(NamedTuple):
    """Packed rows, the token that fills them up, and what those to learn from hold."""

    train: PackedRows
    heldout: PackedRows
    filler: int
    texts: Texts


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run. Tokens are those of documents, without filling.

    `seconds` is the time to the goal, or None if it was not reached.
    """

    seconds: float | None
    trained_seconds: float
    tokens: float
    tokens_per_second: float
    loss: float
    precision: str
    device: str
    share_of_peak: float
    peak_bytes: int
    device_bytes: int | None
    curve: tuple[Point, ...]


def write_rows(job: Job) -> None:
    """Make the rows of a recipe once for all runs."""
    tokenizer = load_base(job.recipe.base, cache=job.cache).tokenizer
    rows = read_rows(job.recipe, tokenizer)
    filler = int(tokenizer.eos_token_id)
    texts = measure_texts(documents(rows.train, filler))
    saved: dict[str, Any] = {"filler": filler, "texts": tuple(texts)}
    for name, part in rows._asdict().items():
        saved[name] = {field.name: getattr(part, field.name) for field in fields(part)}
    job.rows.parent.mkdir(parents=True, exist_ok=True)
    torch.save(saved, job.rows)


def load_rows(path: Path) -> SavedRows:
    """Read what `write_rows` wrote."""
    saved = torch.load(path, weights_only=True)
    return SavedRows(
        PackedRows(**saved["train"]),
        PackedRows(**saved["heldout"]),
        saved["filler"],
        Texts(*saved["texts"]),
    )


def run_ours(job: Job, minutes: float) -> Run:
    """Train with our loop for as many minutes as this."""
    rows = load_rows(job.rows)
    recipe = job.recipe.model_copy(update={"epochs": NEVER, "eval_every": NEVER})
    # Nothing is written but the rows: no checkpoint takes time.
    course = Course(recipe, job.out, minutes=minutes, save_every=None)
    torch.manual_seed(recipe.seed)
    is_bf16 = uses_bf16(recipe.precision, course)
    accelerator = Accelerator(mixed_precision="bf16" if is_bf16 else "no")
    peak = peak_flops(accelerator.device, dtype_of(is_bf16))
    base = load_base(recipe.base, cache=job.cache).model
    model = prepare(base, recipe.base, recipe.lora, is_bf16=is_bf16)
    data = DialogueRows(rows.train, rows.heldout)
    stage = learn(model, data, recipe, course, accelerator=accelerator)
    course.close()
    loss = heldout_loss(model, rows.heldout, at_once=recipe.rows, is_bf16=is_bf16)
    point = Point(stage.seconds, stage.tokens, loss)
    return summary(
        model, rows.texts, [point], peak=peak, is_bf16=is_bf16, seconds=point.seconds
    )


def heldout_loss(model: Any, rows: PackedRows, *, at_once: int, is_bf16: bool) -> float:
    """Return the mean loss on held-out rows, in nats per answer token.

    The same function for all: the model's own layers, in the type it is trained in.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    last = min(len(rows), _HELDOUT_ROWS)
    with (
        torch.no_grad(),
        torch.autocast(device.type, torch.bfloat16, enabled=is_bf16),
    ):
        for start in range(0, last, at_once):
            batch = rows.pick(torch.arange(start, min(last, start + at_once)))
            loss, learned = answer_loss(model, batch, device)
            total, count = total + float(loss), count + learned
    model.train(was_training)
    return total / max(1, count)


def summary(
    model: Any,
    texts: Texts,
    curve: Sequence[Point],
    *,
    peak: float,
    is_bf16: bool,
    seconds: float | None,
) -> Run:
    """Put together what is told about a run.

    `peak` are the operations per second of the machine, `seconds` the time to the goal.
    """
    last = curve[-1]
    speed = last.tokens / last.seconds
    work = flops_per_token(measure_weights(model), texts)
    is_cuda = torch.cuda.is_available()
    return Run(
        seconds=seconds,
        trained_seconds=last.seconds,
        tokens=last.tokens,
        tokens_per_second=speed,
        loss=last.loss,
        precision="bf16" if is_bf16 else "fp32",
        device=torch.cuda.get_device_name() if is_cuda else "CPU",
        share_of_peak=work * speed / peak,
        peak_bytes=peak_memory(),
        device_bytes=torch.cuda.max_memory_allocated() if is_cuda else None,
        curve=tuple(curve),
    )


def dtype_of(is_bf16: bool) -> torch.dtype:
    """Return the type that a run computes in."""
    return torch.bfloat16 if is_bf16 else torch.float32
