"""The runs of `bench train`, each in a process of its own; here that of our loop.

All begin with the same base, learn from the same texts, and are judged on the same
held-out rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch

from finetune.bench.work import (
    Texts,
    documents,
    flops_per_token,
    measure_texts,
    measure_weights,
    peak_flops,
    peak_memory,
)
from finetune.data.packing import IGNORE, PackedRows
from finetune.data.sources import DialogueRows, read_rows, training_texts
from finetune.recipes.lm import LmRecipe
from finetune.training.control import Control
from finetune.training.course import Course
from finetune.training.errors import RunStopped
from finetune.training.events import Event, Judged, Step
from finetune.training.judging import answer_loss
from finetune.training.lm import learn
from finetune.training.lora import prepare
from finetune.training.memory import Batches
from finetune.training.precision import new_accelerator, uses_bf16
from finetune.training.watching import Watch
from finetune.weights.base import load_base

# As many as a student's run is judged by; all runs are judged many times.
_HELDOUT_ROWS = 8
# Each run is judged about so often while it learns as many tokens as the notebook.
LOOKS = 20
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


@dataclass(frozen=True, slots=True)
class Goal:
    """The held-out loss to reach, and the tokens and seconds that the notebook took.

    The learning rate falls over these tokens; a run ends with the goal or these
    seconds.
    """

    loss: float
    tokens: float
    seconds: float


class SavedRows(NamedTuple):
    """Packed rows, the token that fills them up, and what those to learn from hold.

    `stream` is all texts to learn from, one after the other: (tokens,).
    """

    train: PackedRows
    heldout: PackedRows
    filler: int
    texts: Texts
    stream: torch.Tensor


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
    heldout = rows.heldout.pick(torch.arange(min(len(rows.heldout), _HELDOUT_ROWS)))
    # The notebook never sees the end of a text, so nobody is judged by it.
    heldout.targets[heldout.targets == filler] = IGNORE
    encoded = tokenizer(list(training_texts(job.recipe)), add_special_tokens=False)
    texts = measure_texts(documents(rows.train, filler))
    saved: dict[str, Any] = {
        "filler": filler,
        "texts": tuple(texts),
        "stream": torch.tensor([token for ids in encoded.input_ids for token in ids]),
    }
    for name, part in (("train", rows.train), ("heldout", heldout)):
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
        saved["stream"],
    )


class Lookout:
    """Hears the events of our run, keeps its curve, and ends it at the goal."""

    def __init__(self, goal: Goal) -> None:
        self.curve: list[Point] = []
        self.control = Control()
        self._goal = goal
        self._seconds, self._tokens = 0.0, 0

    def hear(self, event: Event) -> None:
        """Take in one event; each update tells one before it is judged."""
        if isinstance(event, Step):
            self._seconds, self._tokens = event.seconds, event.tokens or 0
        if isinstance(event, Judged):
            loss = event.figures["heldout_loss"]
            self.curve.append(Point(self._seconds, self._tokens, loss))
            if loss <= self._goal.loss:
                self.control.stop()
        if self._seconds >= self._goal.seconds:
            self.control.stop()


def run_ours(job: Job, goal: Goal) -> Run:
    """Train with our loop, as a job of a student does, until the goal or its end."""
    rows = load_rows(job.rows)
    each = job.recipe.rows * job.recipe.accumulate * rows.texts.tokens / len(rows.train)
    changes = {
        "epochs": NEVER,
        "updates": math.ceil(goal.tokens / each),
        "log_every": 1,
        "eval_every": max(1, round(goal.tokens / each / LOOKS)),
    }
    recipe = job.recipe.model_copy(update=changes)
    lookout = Lookout(goal)
    # Nothing is written but the rows: no checkpoint takes time.
    course = Course(
        recipe,
        job.out,
        emit=lookout.hear,
        control=lookout.control,
        save_every=None,
    )
    torch.manual_seed(recipe.seed)
    is_bf16 = uses_bf16(recipe.precision, course)
    accelerator = new_accelerator(is_bf16=is_bf16)
    peak = peak_flops(accelerator.device, dtype_of(is_bf16))
    base = load_base(recipe.base, cache=job.cache)
    model = prepare(base.model, recipe.base, recipe.lora, is_bf16=is_bf16)
    batches = Batches(recipe.rows, recipe.accumulate, emit=course.emit)
    watch = Watch(
        model,
        rows.heldout,
        recipe,
        course,
        tokenizer=base.tokenizer,
        accelerator=accelerator,
        batches=batches,
    )
    data = DialogueRows(rows.train, rows.heldout)
    try:
        stage = learn(
            model,
            data,
            recipe,
            course,
            accelerator=accelerator,
            batches=batches,
            watch=watch,
        )
        watch.end(stage)
    except RunStopped:
        pass  # at the goal, or where its time was over
    course.close()
    return summary(
        model, rows.texts, lookout.curve, goal=goal, peak=peak, is_bf16=is_bf16
    )


def heldout_loss(model: Any, rows: PackedRows, *, at_once: int, is_bf16: bool) -> float:
    """Return the mean loss on held-out rows, in nats per answer token.

    The same function for all: the model's own layers, in the type it is trained in.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    last = len(rows)
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
    goal: Goal,
    peak: float,
    is_bf16: bool,
) -> Run:
    """Put together what is told about a run.

    `peak` are the operations per second of the machine.
    """
    last = curve[-1]
    speed = last.tokens / last.seconds
    work = flops_per_token(measure_weights(model), texts)
    is_cuda = torch.cuda.is_available()
    return Run(
        seconds=reached(curve, goal.loss),
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


def reached(curve: Sequence[Point], loss: float) -> float | None:
    """Return after how many seconds a loss was reached, or None.

    Between two looks the loss is taken to have fallen evenly.
    """
    before: Point | None = None
    for point in curve:
        if point.loss <= loss:
            if before is None:
                return point.seconds
            part = (before.loss - loss) / (before.loss - point.loss)
            return before.seconds + part * (point.seconds - before.seconds)
        before = point
    return None


def dtype_of(is_bf16: bool) -> torch.dtype:
    """Return the type that a run computes in."""
    return torch.bfloat16 if is_bf16 else torch.float32
