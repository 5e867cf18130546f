"""The runs of `bench train` with `transformers.Trainer`."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from finetune.bench.runs import (
    LOOKS,
    NEVER,
    Goal,
    Job,
    Point,
    Run,
    SavedRows,
    dtype_of,
    heldout_loss,
    load_rows,
    summary,
)
from finetune.bench.work import Texts, documents, peak_flops, wait_for
from finetune.data.packing import IGNORE, Document, PackedRows
from finetune.recipes.lm import LmRecipe
from finetune.training.clock import Clock
from finetune.training.lm import rate_at
from finetune.training.lora import add_adapters
from finetune.weights.base import load_base

Way = Literal["notebook", "defaults", "tuned"]
Batch = dict[str, torch.Tensor]

# So that a slower learner can go on where its rate has come to its end.
_LEAST_RATE = 0.05
_USUAL_BATCH = 8  # of Trainer
# What the notebook sets (see bench/train.py); all else it leaves as it is.
_NOTEBOOK_BLOCK = 100
_NOTEBOOK = {"learning_rate": 8.91e-4, "weight_decay": 0.01}


@dataclass(frozen=True, slots=True)
class Items:
    """What a Trainer learns from, and how some of them become a batch.

    `each` are the tokens of texts in an update.
    """

    items: list[Any]
    collate: Callable[[list[Any]], Batch]
    each: float
    texts: Texts


def run_trainer(job: Job, goal: Goal, way: Way) -> Run:
    """Train with `transformers.Trainer` until the goal or the end of its time.

    notebook: all weights in 32 bits, on blocks that are cut from all texts in a row;
    its rate falls to nothing over the tokens of the goal. defaults: the adapters and
    the rate of our recipe, in 32 bits, on batches of 8 documents filled up to the
    longest. tuned: the same in bf16 on our packed rows.
    """
    rows = load_rows(job.rows)
    recipe = job.recipe
    is_notebook, is_tuned = way == "notebook", way == "tuned"
    given = _items(rows, recipe, way)
    updates = math.ceil(goal.tokens / given.each)
    arguments = _arguments(job, way, updates if is_notebook else NEVER)
    peak = peak_flops(arguments.device, dtype_of(is_tuned))
    torch.manual_seed(recipe.seed)
    model = load_base(recipe.base, cache=job.cache).model
    model.config.use_cache = False
    if recipe.lora is not None and not is_notebook:
        # Frozen weights are kept in the type that they are used in, as ours are.
        model = add_adapters(model.to(dtype_of(is_tuned)), recipe.lora)
    watch = Watch(
        goal,
        each=given.each,
        device=arguments.device,
        judge=lambda: heldout_loss(
            model, rows.heldout, at_once=recipe.rows, is_bf16=is_tuned
        ),
    )
    trainer: Any = (Trainer if is_notebook else FallingTrainer)(
        model=model,
        args=arguments,
        train_dataset=given.items,
        data_collator=given.collate,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    if not is_notebook:
        trainer.rate = lambda update: falling(update / updates, recipe.warmup)
    trainer.train()
    return summary(
        model, given.texts, watch.curve, goal=goal, peak=peak, is_bf16=is_tuned
    )


class FallingTrainer(Trainer):  # type: ignore[misc]
    """A Trainer whose learning rate falls as ours does."""

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
        self._every = max(1, round(goal.tokens / each / LOOKS))
        self._device = device
        self._judge = judge
        self._clock = Clock(now=clock)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Judge what is there before, and start the clock."""
        self._look(0.0, 0)
        self._clock.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Judge when it is time, with a stopped clock."""
        is_over = (
            self._clock.seconds >= self._goal.seconds
            or state.global_step == state.max_steps
        )
        if state.global_step % self._every and not is_over:
            return
        wait_for(self._device)
        seconds = self._clock.seconds
        with self._clock.resting():
            loss = self._look(seconds, state.global_step)
        if is_over or loss <= self._goal.loss:
            control.should_training_stop = True

    def _look(self, seconds: float, update: int) -> float:
        point = Point(seconds, update * self.each, self._judge())
        self.curve.append(point)
        sys.stderr.write(f"  {point.seconds:.0f} s: loss {point.loss:.4f}\n")
        return point.loss


def falling(done: float, warmup: float) -> float:
    """Return our course of the learning rate; `done` is over 1 for who goes on."""
    share = rate_at(done, warmup)
    return share if done < warmup else max(_LEAST_RATE, share)


def _items(rows: SavedRows, recipe: LmRecipe, way: Way) -> Items:
    if way == "notebook":
        size = _NOTEBOOK_BLOCK
        whole = rows.stream[: len(rows.stream) // size * size]
        blocks = list(whole.view(-1, size))
        # A token looks at half of its block, and all but the first are learned.
        texts = Texts(size * len(blocks), (size + 1) / 2, (size - 1) / size)
        return Items(blocks, _blocks, _USUAL_BATCH * size, texts)
    items: list[Any]
    collate: Callable[[list[Any]], Batch]
    if way == "tuned":
        items = list(range(len(rows.train)))
        count, collate = recipe.rows * recipe.accumulate, _packed(rows.train)
    else:
        items = documents(rows.train, rows.filler)
        count, collate = _USUAL_BATCH, _filled(rows.filler)
    return Items(items, collate, rows.texts.tokens * count / len(items), rows.texts)


def _arguments(job: Job, way: Way, updates: int) -> TrainingArguments:
    recipe = job.recipe
    more: dict[str, Any] = _NOTEBOOK
    if way != "notebook":
        more = {
            "learning_rate": recipe.learning_rate,
            "weight_decay": recipe.weight_decay,
            "adam_beta2": 0.95,  # as in our loop
            "max_grad_norm": recipe.clip,
        }
    if way == "tuned":
        more |= {
            "bf16": True,
            "per_device_train_batch_size": recipe.rows,
            "gradient_accumulation_steps": recipe.accumulate,
        }
    arguments = TrainingArguments(
        output_dir=str(job.out),
        use_cpu=not torch.cuda.is_available(),
        max_steps=updates,
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


def _blocks(found: list[torch.Tensor]) -> Batch:
    ids = torch.stack(found)
    return {"input_ids": ids, "labels": ids}


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
