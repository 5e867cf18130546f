"""Fine-tune a causal language model on the answers of dialogues.

A language model reads tokens and gives, for each place, a score to every token of its
vocabulary: how likely is it to come next? Fine-tuning is more of the same on dialogues
of our own, with one difference: only the answers count. What a player writes is read,
and not learned.

Read from `train` downwards: it prepares everything, `learn` makes the updates, and
`make_update` is one of them. The numbers of a batch, with the warden's recipe on
a processor:

    rows     2    rows that are worked on at a time (`rows` of the recipe)
    block  256    tokens in a row. Dialogues are shorter: several are packed into
                  one row, and none looks at another (finetune/data/packing.py)
    width  576    numbers that stand for a token inside SmolLM2-135M
    vocabulary 49,152   tokens to choose from

What makes it quick on an ordinary processor: packed rows, cut after their last answer;
bf16 where it is faster; low-rank adapters on a frozen base (finetune/training/lora.py),
so that the large weights need no gradients; and the scores of the vocabulary, a fifth
of the work, computed only at the places where there is something to learn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from finetune.data import sources
from finetune.data.packing import IGNORE, PackedRows
from finetune.data.sources import DialogueRows, read_rows
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import DialogueFile, LmRecipe, TextRows
from finetune.training.course import Course, Stage
from finetune.training.events import RowsRead
from finetune.training.fresh import build, train_tokenizer
from finetune.training.judging import answer_loss
from finetune.training.lora import prepare, write_learned
from finetune.training.memory import Batches
from finetune.training.precision import new_accelerator, uses_bf16
from finetune.training.processes import Processes
from finetune.training.sharding import WholeOptimizer, in_parts, place
from finetune.training.watching import Watch
from finetune.weights.base import Base, load_base

_STAGE = "answers"
_LEAST_CONTEXT = 256  # tokens that a model from nothing is served with at least
_LEAST_RATE = 0.02  # share of the rate that the very first update has


def train(recipe: LmRecipe, course: Course, *, cache: Path) -> dict[str, float]:
    """Train until the epochs or the minutes are over; return the held-out figures.

    Writes the adapter (or all weights) to the folder of the course, and to `cache` what
    is read from a GGUF base. Asked to stop, it leaves a checkpoint and no model.
    Raises RunStopped, TrainingError, RecipeError, ModelMissing or PiecesError.
    """
    is_bf16 = not recipe.is_fresh and uses_bf16(recipe.precision, course)
    # The same seed draws the same adapters, rows and order.
    torch.manual_seed(recipe.seed)
    accelerator = new_accelerator(is_bf16=is_bf16)
    base = _fresh(recipe) if recipe.is_fresh else load_base(recipe.base, cache=cache)
    model = prepare(
        base.model,
        recipe.base,
        recipe.adapters,
        is_bf16=is_bf16,
        frozen=0 if recipe.is_fresh else recipe.frozen,
    )
    rows = read_rows(recipe, base.tokenizer)
    course.emit(_about(rows))
    batches = Batches(
        recipe.rows,
        recipe.accumulate,
        emit=course.emit,
        can_shrink=accelerator.num_processes == 1,
    )
    watch = Watch(
        model,
        rows.heldout,
        recipe,
        course,
        tokenizer=base.tokenizer,
        accelerator=accelerator,
        batches=batches,
    )
    stage = learn(
        model,
        rows,
        recipe,
        course,
        accelerator=accelerator,
        batches=batches,
        watch=watch,
    )
    figures = watch.end(stage)
    has_adapters = recipe.adapters is not None
    is_main = accelerator.is_main_process
    write_learned(model, course.out, has_adapters=has_adapters, writes=is_main)
    if is_main and not has_adapters:
        base.tokenizer.save_pretrained(course.out)
    course.finish(figures)
    return figures


def _fresh(recipe: LmRecipe) -> Base:
    """Return a model with random weights, and the tokenizer of its own data."""
    is_chat = isinstance(recipe.data, DialogueFile) or (
        isinstance(recipe.data, TextRows) and recipe.data.is_chat
    )
    tokenizer = train_tokenizer(
        sources.training_texts(recipe), recipe.fresh.vocabulary, is_chat=is_chat
    )
    # It learns nothing of places further on than a row is long; beyond it gets worse.
    context = max(_LEAST_CONTEXT, 2 * recipe.block)
    return Base(build(recipe.fresh, tokenizer, context=context), tokenizer)


def learn(
    model: Any,
    rows: DialogueRows,
    recipe: LmRecipe,
    course: Course,
    *,
    accelerator: Accelerator,
    batches: Batches | None = None,
    watch: Watch | None = None,
) -> Stage:
    """Make one update after another; return how far it came.

    An epoch is once through all rows. Several processes share the rows of an update.
    `watch` looks at the model in between.
    """
    batches = batches or Batches(recipe.rows, recipe.accumulate, emit=course.emit)
    processes = Processes(accelerator)
    each = recipe.rows * recipe.accumulate * processes.count  # rows of an update
    per_epoch = max(1, len(rows.train) // each)
    if in_parts(accelerator) and len(rows.train) < each:
        raise RecipeError(
            f"{processes.count} processes that hold one model in parts need"
            f" {each} rows for each update, and there are {len(rows.train)}: lower rows"
            " or accumulate, start fewer processes, or bring more text."
        )
    # What wraps a model for several processes expects to be called as a whole, and here
    # only parts of the model are: gradients are added up in `make_update`.
    place(model, accelerator)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        learned,
        lr=recipe.learning_rate,
        betas=(0.9, 0.95),
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    stage = course.stage(
        _STAGE,
        model=model,
        kept={"optimizer": WholeOptimizer(optimizer)},
        of=_updates(recipe, per_epoch),
        log_every=recipe.log_every,
        precision="bf16" if accelerator.mixed_precision == "bf16" else "fp32",
        processes=processes,
        hint="lower learning_rate, or set precision: fp32",
    )
    sizes = text_sizes(rows.train)  # (rows,)
    if watch is not None:
        watch.begin(stage)
    while stage.goes_on():
        # 1. How far to move: the rate rises at first, then falls to zero.
        rate = recipe.learning_rate * rate_at(stage.done, recipe.warmup)
        for group in optimizer.param_groups:
            group["lr"] = rate
        # 2. What to learn from: this process's part of the next rows, in batches.
        numbers = rows_of_update(
            stage.update, each=each, count=len(rows.train), seed=recipe.seed
        )
        mine = numbers[processes.own :: processes.count]
        taken = rows.train.pick(mine)

        # 3. Move each weight a little, so that the answers become more likely.
        def move(size: int, taken: PackedRows = taken) -> Tensor:
            return make_update(
                model,
                taken.split(size),
                optimizer,
                accelerator=accelerator,
                clip=recipe.clip,
            )

        loss = batches.fitted(move)
        stage.step(loss=loss, rate=rate, tokens=processes.sum(int(sizes[mine].sum())))
        # 4. Does it only learn its rows by heart? Look at some that it never learns.
        if watch is not None:
            watch.look(stage)
    return stage


def make_update(
    model: Any,
    batches: Sequence[PackedRows],
    optimizer: torch.optim.Optimizer,
    *,
    accelerator: Accelerator,
    clip: float,
) -> Tensor:
    """Change the weights once; return the mean loss, a number still on the device.

    The batches are of this process; together they are one update, as if they were one
    large batch that the memory would not hold.
    """
    processes = Processes(accelerator)
    weights = [p for group in optimizer.param_groups for p in group["params"]]
    # A try that the memory was too small for may have left some.
    optimizer.zero_grad()
    # All answer tokens of an update weigh the same, in whatever batch they are. So each
    # batch gives the sum of its losses, and that is divided by the count of them all.
    answers = processes.sum(sum(int((b.targets != IGNORE).sum()) for b in batches))
    total = torch.zeros((), device=accelerator.device)
    for batch in batches:
        with accelerator.autocast():
            loss, _ = answer_loss(model, batch, accelerator.device)
        # Adds to `grad` of each weight: how the loss changes when the weight does.
        accelerator.backward(loss / max(1, answers))
        total += loss.detach()
    processes.add_gradients(weights)
    total = processes.add(total)
    # One odd batch must not throw the model off: longer gradients are shortened.
    torch.nn.utils.clip_grad_norm_(weights, clip)
    optimizer.step()
    optimizer.zero_grad()
    return total / max(1, answers)


def rows_of_update(update: int, *, each: int, count: int, seed: int) -> Tensor:
    """Return the numbers of the rows of an update, (each,), or fewer if there are.

    In each epoch the rows come in another order. It depends on seed and epoch only, so
    that a run can go on anywhere. What is left of an epoch is too little for an update,
    and waits for another order.
    """
    epoch, place = divmod(update, max(1, count // each))
    generator = torch.Generator().manual_seed(seed * 1000 + epoch)
    order = torch.randperm(count, generator=generator)  # (count,)
    return order[place * each : (place + 1) * each]


def rate_at(done: float, warmup: float) -> float:
    """Return the share of the learning rate when `done` of the run is over, 0 to 1.

    It rises while the optimizer knows little of the gradients, and falls to zero, so
    that the last updates settle instead of jumping about.
    """
    if done < warmup:
        return max(done / warmup, _LEAST_RATE)
    return max(0.0, (1 - done) / (1 - warmup))


def text_sizes(rows: PackedRows) -> Tensor:
    """Return how many tokens of each row belong to dialogues, (rows,): not filling.

    What fills up a row is numbered as its last document, repeats one token, and has no
    targets.
    """
    is_last = rows.document == rows.document[:, -1:]  # (rows, block)
    is_filler = (rows.ids == rows.ids[:, -1:]) & (rows.targets == IGNORE)
    has_filling = (is_filler | ~is_last).all(1)  # (rows,)
    return rows.ids.shape[1] - is_last.sum(1) * has_filling


def _updates(recipe: LmRecipe, per_epoch: int) -> int:
    """Return how many updates the epochs are, a part of one counting as one."""
    of = max(1, math.ceil(recipe.epochs * per_epoch))
    return of if recipe.updates is None else min(of, recipe.updates)


def _about(rows: DialogueRows) -> RowsRead:
    return RowsRead(
        train=len(rows.train),
        held_out=len(rows.heldout),
        tokens=int(text_sizes(rows.train).sum()),
        answer_share=float(
            (rows.train.targets != IGNORE).sum() / text_sizes(rows.train).sum()
        ),
    )
