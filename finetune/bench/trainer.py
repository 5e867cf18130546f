"""The runs of `bench train` with `transformers.Trainer`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from finetune.bench.runs import (
    NEVER,
    Job,
    Point,
    Run,
    dtype_of,
    heldout_loss,
    load_rows,
    summary,
)
from finetune.bench.work import documents, peak_flops, wait_for
from finetune.data.packing import IGNORE, Document, PackedRows
from finetune.recipes.lm import LmRecipe
from finetune.training.clock import Clock
from finetune.training.lm import rate_at
from finetune.training.lora import add_adapters
from finetune.weights.base import load_base

# Looks at the held-out loss on the way that ours needed to the goal.
_LOOKS = 10
# So that a slower learner can go on where its rate has come to its end.
_LEAST_RATE = 0.05
_USUAL_BATCH = 8  # of Trainer

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Goal:
    """The loss to reach, the tokens that ours needed for it, and the time allowed.

    The learning rate falls over the `planned` seconds, and then stays low.
    """

    loss: float
    tokens: float
    seconds: float
    planned: float


def run_trainer(job: Job, goal: Goal, *, is_tuned: bool) -> Run:
    """Train with `transformers.Trainer` until the goal or the end of its time.

    By default it computes in 32 bits on batches of 8 documents, filled up to the
    longest; tuned, in bf16 on the same packed rows as ours.
    """
    rows = load_rows(job.rows)
    recipe = job.recipe
    arguments = _arguments(job, is_tuned=is_tuned)
    peak = peak_flops(arguments.device, dtype_of(is_tuned))
    torch.manual_seed(recipe.seed)
    model = load_base(recipe.base, cache=job.cache).model
    model.config.use_cache = False
    if recipe.lora is not None:
        # Frozen weights are kept in the type that they are used in, as ours are.
        model = add_adapters(model.to(dtype_of(is_tuned)), recipe.lora)
    items: list[Any] = (
        list(range(len(rows.train))) if is_tuned else documents(rows.train, rows.filler)
    )
    watch = Watch(
        goal,
        each=rows.texts.tokens * _batch(recipe, is_tuned) / len(items),
        device=arguments.device,
        judge=lambda: heldout_loss(
            model, rows.heldout, at_once=recipe.rows, is_bf16=is_tuned
        ),
    )
    trainer = FallingTrainer(
        model=model,
        args=arguments,
        train_dataset=items,
        data_collator=_packed(rows.train) if is_tuned else _filled(rows.filler),
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.rate = lambda update: falling(watch.seconds / goal.planned, recipe.warmup)
    trainer.train()
    seconds = reached(watch.curve, goal.loss)
    return summary(
        model, rows.texts, watch.curve, peak=peak, is_bf16=is_tuned, seconds=seconds
    )


class FallingTrainer(Trainer):  # type: ignore[misc]
    """A Trainer whose learning rate falls by the clock, as ours does."""

    rate: Callable[[int], float]
    lr_scheduler: Any

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the schedule from `rate`."""
        if self.lr_scheduler is None:
            learning: Any = optimizer or self.optimizer
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(learning, self.rate)
        return self.lr_scheduler


class Watch(TrainerCallback):  # type: ignore[misc]
    """Looks at the held-out loss at a regular number of tokens; ends the run."""

    def __init__(
        self,
        goal: Goal,
        *,
        each: float,
        device: torch.device,
        judge: Callable[[], float],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`each` is how many tokens an update learns from."""
        self.each = each
        self.curve: list[Point] = []
        self._goal = goal
        self._every = max(1, round(goal.tokens / each / _LOOKS))
        self._device = device
        self._judge = judge
        self._clock = Clock(now=clock)

    @property
    def seconds(self) -> float:
        """How long the run has learned: 0 before it begins."""
        return self._clock.seconds

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self._clock.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Judge when it is time, with a stopped clock."""
        is_over = self.seconds >= self._goal.seconds
        if state.global_step % self._every and not is_over:
            return
        wait_for(self._device)
        seconds = self.seconds
        with self._clock.resting():
            loss = self._judge()
        point = Point(seconds, state.global_step * self.each, loss)
        self.curve.append(point)
        sys.stderr.write(f"  {point.seconds:.0f} s: loss {loss:.4f}\n")
        if is_over or loss <= self._goal.loss:
            control.should_training_stop = True


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


def falling(done: float, warmup: float) -> float:
    """Return our course of the learning rate; `done` is over 1 for who goes on."""
    share = rate_at(done, warmup)
    return share if done < warmup else max(_LEAST_RATE, share)


def _arguments(job: Job, *, is_tuned: bool) -> TrainingArguments:
    recipe = job.recipe
    more: dict[str, Any] = {}
    if is_tuned:
        more = {
            "bf16": True,
            "per_device_train_batch_size": recipe.rows,
            "gradient_accumulation_steps": recipe.accumulate,
        }
    arguments = TrainingArguments(
        output_dir=str(job.out),
        use_cpu=not torch.cuda.is_available(),
        max_steps=NEVER,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        adam_beta2=0.95,  # as in our loop
        max_grad_norm=recipe.clip,
        seed=recipe.seed,
        # Nothing is written, shown or sent.
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        **more,
    )
    # On one device, as ours is.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _batch(recipe: LmRecipe, is_tuned: bool) -> int:
    return recipe.rows * recipe.accumulate if is_tuned else _USUAL_BATCH


def _filled(filler: int) -> Callable[[list[Document]], Batch]:
    """Return what puts documents side by side, filled up to the longest."""

    def collate(found: list[Document]) -> Batch:
        shape = (len(found), max(len(document.ids) for document in found))
        ids = torch.full(shape, filler)
        labels = torch.full(shape, IGNORE)
        mask = torch.zeros(shape, dtype=torch.long)
        for row, document in enumerate(found):
            size = len(document.ids)
            ids[row, :size] = torch.tensor(document.ids)
            # Trainer's labels are the tokens themselves, not those that follow.
            labels[row, 1:size] = torch.tensor(document.targets[:-1])
            mask[row, :size] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    return collate


def _packed(rows: PackedRows) -> Callable[[list[int]], Batch]:
    """Return what picks packed rows, with a mask between their documents."""

    def collate(numbers: list[int]) -> Batch:
        batch = rows.pick(torch.tensor(numbers))
        labels = torch.full_like(batch.targets, IGNORE, dtype=torch.long)
        labels[:, 1:] = batch.targets[:, :-1]
        return {
            "input_ids": batch.ids.long(),
            "position_ids": batch.positions.long(),
            "attention_mask": batch.mask(),
            "labels": labels,
        }

    return collate
