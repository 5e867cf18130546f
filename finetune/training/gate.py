"""Train a gate: the sentence model learns to tell attacks from harmless messages.

A sentence model makes one vector of a text, 384 numbers, so that texts that mean much
the same lie near each other. Two dense layers on top of it, the head, say how much of
an attack a vector is: one number, the logit; above 0 it is rather an attack.

Read from `train` downwards; `learn` makes the updates, and `make_update` is one of
them. The idea in five steps:

1. An attack and its harmless twin share nearly every word. At first both are shown
   side by side, and vectors of one kind are pulled together, away from the other
   (Khosla et al. 2020, arXiv 2004.11362): only the intent is left to tell them apart.
2. Then come all rows, with the usual loss for two classes.
3. What costs a guard its users is the false alarm. Benign logits above minus `margin`
   cost extra, by their square: an energy penalty as for inputs of unknown kinds
   (Liu et al. 2020, arXiv 2010.03759).
4. The weights of the last part of the run are averaged, which generalises better than
   the last ones (Izmailov et al. 2018, arXiv 1803.05407).
5. Other people's attacks teach what the generator does not know, and push aside some of
   what it does. So with `first_without` a guard learns without them first, then goes
   on with them, and what counts is the mean of both (Wortsman et al. 2022, arXiv
   2109.01903).

Temperature and threshold come from sources that moved no weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from finetune.data.guards.collect import SplitRows, collect
from finetune.data.guards.rows import Row
from finetune.figures import auc, recall_at
from finetune.guards.detector import (
    ADAPTER,
    Detector,
    freeze,
    load_detector,
    quantised,
    save_adapter,
)
from finetune.guards.minilm import LAYERS, Tokens, load_minilm, pad
from finetune.recipes.common import RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.training.course import Course
from finetune.training.events import FileMissing, RowsRead
from finetune.training.guard_losses import (
    class_loss,
    contrastive,
    false_alarm_loss,
)
from finetune.training.means import RunningMean, mean_of
from finetune.training.precision import this_device, uses_bf16
from finetune.training.reader import Batches, Reader, Window
from finetune.training.thresholds import calibrate, write_thresholds
from finetune.weights.places import find_folder
from finetune.weights.tensors import write_tensors

_AVERAGED = 0.4  # last share of a stage whose weights are averaged
_WARM_UP = 0.06
_LEAST_RATE = 1e-3  # share of the rate that the first and the last update have
_WEIGHT_DECAY, _CLIP = 0.01, 1.0


class Batch(NamedTuple):
    """Windows side by side, filled up to the longest."""

    tokens: Tokens  # ids and mask, both (windows, time)
    labels: Tensor  # (windows,), 1.0 for an attack
    size: int  # tokens, without filling


def train(recipe: ClassifierRecipe, course: Course) -> dict[str, float]:
    """Train until the epochs or the minutes are over; return the held-out figures.

    Writes `adapter.safetensors` and `guard.json` (threshold, window) to the folder of
    the course. Asked to stop, it leaves a checkpoint and no `guard.json`.
    Raises RunStopped, TrainingError, RecipeError, ModelMissing or PiecesError.
    """
    rows = collect(recipe, tell_missing(course))
    fit(recipe, rows.train, course)
    figures = judge(recipe, rows, out=course.out)
    course.finish(figures)
    return figures


def fit(recipe: ClassifierRecipe, rows: Sequence[Row], course: Course) -> None:
    """Learn from rows, in one stage or two; write `adapter.safetensors`.

    A guard that is trained twice goes on from what the first stage made. Without any
    row of the fold, as where its files are missing, once is enough.
    """
    others = recipe.folds[recipe.first_without] if recipe.first_without else ()
    own = [row for row in rows if not row.source.startswith(others)]
    if len(own) == len(rows):
        learn(recipe, rows, course, name="all", out=course.out)
        return
    first = course.made / "first"
    # Once it is there, the first stage is over.
    if not (first / ADAPTER).is_file():
        learn(recipe, own, course, name="first", out=first, share=0.5)
    again = recipe.model_copy(update={"start": first})
    learn(again, rows, course, name="second", out=course.out, share=0.5)


def learn(
    recipe: ClassifierRecipe,
    rows: Sequence[Row],
    course: Course,
    *,
    name: str,
    out: Path,
    share: float = 1.0,
) -> None:
    """Make one update after another, as the stage `name`; write the adapter to `out`.

    It takes its `share` of the minutes. What goes on from a gate becomes the mean of
    what that was and what it has become.
    """
    course.emit(RowsRead(train=len(rows)))
    torch.manual_seed(recipe.seed)
    folder = find_folder(recipe.base)
    device = this_device()
    detector = _first_detector(recipe.start, folder).to(device).train()
    freeze(detector.encoder, recipe.frozen)
    is_bf16 = uses_bf16(recipe.precision, course)
    examples = Reader(folder, recipe.window).examples(rows)
    batches = Batches(examples, recipe.batch, seed=recipe.seed)
    optimizer = torch.optim.AdamW(
        rates_of_layers(detector, recipe), weight_decay=_WEIGHT_DECAY, fused=True
    )
    mean = RunningMean(detector)
    stage = course.stage(
        name,
        model=detector,
        kept={"optimizer": optimizer, "mean": mean, "batches": batches},
        of=max(1, round(recipe.epochs * len(examples) / recipe.batch)),
        share=share,
        log_every=recipe.log_every,
        precision="bf16" if is_bf16 else "fp32",
    )
    while stage.goes_on():
        # 1. How far to move: each layer at its own rate, and all of them less and less.
        rate = rate_at(stage.done)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * rate
        # 2. What to learn from: at first twins alone, then everything.
        only_twins = stage.done < recipe.contrast
        batch = to_batch(batches.take(pairs_only=only_twins), device)
        # 3. What the guard makes of it: (windows,) and unit vectors (windows, 384).
        with torch.autocast(device.type, torch.bfloat16, enabled=is_bf16):
            logits, vectors = detector(batch.tokens)
        # 4. How wrong that is: a sum of two parts.
        parts = {"class": class_loss(logits, batch.labels)}
        if only_twins:
            parts["contrast"] = contrastive(vectors.float(), batch.labels)
        elif recipe.margin_weight:
            parts["margin"] = recipe.margin_weight * false_alarm_loss(
                logits, batch.labels, recipe.margin
            )
        # 5. Move each weight a little that way, and count the result into the mean.
        loss = torch.stack(list(parts.values())).sum()
        move(detector, loss, optimizer)
        if stage.done > 1 - _AVERAGED:
            mean.add(detector)
        stage.step(
            loss=loss,
            parts=parts,
            tokens=batch.size,
            rate=recipe.learning_rate * rate,
        )
    mean.replace_weights(detector)
    out.mkdir(parents=True, exist_ok=True)
    save_adapter(detector.cpu().eval(), load_minilm(folder), out / ADAPTER)
    if recipe.start is not None:
        write_tensors(mean_of([out, recipe.start]), out / ADAPTER)


def to_batch(windows: Sequence[Window], device: torch.device) -> Batch:
    """Put windows side by side on a device."""
    ids, mask = pad([window.ids for window in windows])  # both (windows, time)
    labels = torch.tensor([float(window.label) for window in windows], device=device)
    return Batch(Tokens(ids.to(device), mask.to(device)), labels, int(mask.sum()))


def move(model: nn.Module, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Change the learned weights so that this loss becomes less.

    `backward` finds for each weight how the loss changes with it. One odd batch must
    not throw the model off, so long gradients are shortened.
    """
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    torch.nn.utils.clip_grad_norm_(weights, _CLIP)
    optimizer.step()


def rate_at(done: float) -> float:
    """Return the share of the learning rate when `done` of the stage is over, 0 to 1.

    It rises quickly, then falls like half a cosine wave.
    """
    falling = 0.5 * (1 + math.cos(math.pi * done))
    return max(min(done / _WARM_UP, falling), _LEAST_RATE)


def rates_of_layers(
    detector: Detector, recipe: ClassifierRecipe
) -> list[dict[str, Any]]:
    """Return the weights with their rates: the lower, the slower.

    Lower layers know letters and words, which stay as they are; the upper ones know
    what a text is about, and the head knows nothing yet.
    """
    groups = [{"params": list(detector.head.parameters()), "rate": recipe.head_rate}]
    for number, layer in enumerate(detector.encoder.layers):
        if number >= recipe.frozen:
            slower = recipe.layer_decay ** (LAYERS - 1 - number)
            rate = recipe.learning_rate * slower
            groups.append({"params": list(layer.parameters()), "rate": rate})
    return groups


def judge(recipe: ClassifierRecipe, rows: SplitRows, *, out: Path) -> dict[str, float]:
    """Choose the thresholds of the adapter in `out`; write `guard.json`.

    Returns the figures on rows that moved no weight.
    """
    folder = find_folder(recipe.base)
    # From the file and in 8 bits: what is judged is what will be served.
    served = quantised(load_detector(folder, out / ADAPTER))
    reader = Reader(folder, recipe.window)
    kept = rows.held_out or rows.dev
    dev, held = reader.logits(served, rows.dev), reader.logits(served, kept)
    labels = [row.label for row in rows.dev]
    temperature = calibrate(dev, labels)
    scores = [1 / (1 + math.exp(-logit / temperature)) for logit in held]
    threshold = write_thresholds(
        out, kept, scores, rate=recipe.false_alarms, temperature=temperature,
        window=recipe.window,
    )  # fmt: skip
    found = {
        "dev_auc": auc(dev, labels),
        "dev_recall_at_1pct": recall_at(dev, labels),
        "threshold": threshold,
        "temperature": temperature,
    }
    if rows.held_out:
        flagged = [
            score >= threshold
            for score, row in zip(scores, kept, strict=True)
            if not row.label
        ]
        found["held_out_false_alarms"] = sum(flagged) / max(1, len(flagged))
    return {name: value for name, value in found.items() if value is not None}


def tell_missing(course: Course) -> Callable[[dict[str, Any]], None]:
    """Return what tells the files that `collect` did not find."""

    def tell(found: dict[str, Any]) -> None:
        course.emit(FileMissing(file=found["file"], licence=found["licence"]))

    return tell


def _first_detector(start: Path | None, folder: Path) -> Detector:
    """Return what a stage starts from; raise RecipeError if that is not there."""
    if start is None:
        return Detector(load_minilm(folder))
    try:
        return load_detector(folder, start / ADAPTER)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise RecipeError(
            f"{start / ADAPTER} is not a guard to go on from: {error}"
        ) from error
