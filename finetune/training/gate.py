"""Train a gate: members that read one sentence model learn to tell attacks apart.

A sentence model makes one vector of a text, 384 numbers, so that texts that mean much
the same lie near each other. Read from `train` downwards; three stages follow each
other:

1. `reading`: the sentence model as it is reads every window of every row once. The
   means of its layers are kept. No weight moves.
2. `heads`: small networks learn from these means. Each ignores some of the sources, so
   that they err differently (Breiman 1996, "Bagging predictors").
3. `tuning`: a copy of the upper layers learns, the lower, the slower. The weights of
   the last part are averaged, which generalises better than the last ones (Izmailov et
   al. 2018, arXiv 1803.05407).

Both learn by the usual loss for two classes. What costs a guard its users is the false
alarm, so benign logits above minus `margin` cost extra, by their square: an energy
penalty as for inputs of unknown kinds (Liu et al. 2020, arXiv 2010.03759). Which kind
of attack it is, a last layer learns from the attacks whose kind is known.

Temperature and threshold come from sources that moved no weight.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from finetune.data.guards.collect import SplitRows, collect
from finetune.data.guards.rows import Row
from finetune.figures import auc, recall_at
from finetune.guards.detector import ADAPTER, in_8_bits
from finetune.guards.ensemble import (
    FEATURES,
    KINDS,
    Branch,
    Ensemble,
    Heads,
    layers_of,
    load_ensemble,
    save_ensemble,
)
from finetune.guards.gate import logit_of
from finetune.guards.minilm import MiniLM, Tokens, hides, load_minilm, pad
from finetune.guards.readings import Reader
from finetune.recipes.guard import ClassifierRecipe
from finetune.training.course import Course
from finetune.training.events import FileMissing, RowsRead
from finetune.training.examples import Draw, Examples, chances, worst
from finetune.training.guard_losses import class_loss, false_alarm_loss
from finetune.training.means import RunningMean
from finetune.training.precision import this_device, uses_bf16
from finetune.training.thresholds import calibrate, write_thresholds
from finetune.weights.places import find_folder

_HEADS, _TUNING = 0.15, 0.85  # of the minutes
_AT_ONCE = 64  # windows
_HEAD_BATCH = 512  # rows
_TUNING_WINDOWS = 4  # of a row; what fits into memory side by side
_DROPPED = 0.2  # share of its inputs that a head misses at a time
_IGNORED = 0.25  # share of the sources that a head ignores
_AVERAGED = 0.4  # last share of the tuning whose weights are averaged
_WARM_UP = 0.06
_LEAST_RATE = 1e-3  # share of the rate that the first and the last update have
_WEIGHT_DECAY, _HEAD_DECAY, _CLIP = 0.01, 0.05, 1.0


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
    """Learn from rows, in three stages; write `adapter.safetensors`."""
    course.emit(RowsRead(train=len(rows)))
    base = find_folder(recipe.base)
    examples = Examples.read(rows, Reader(base, recipe.window))
    features = read_all(examples, base, course)
    heads = learn_heads(examples, features, recipe, course)
    branch = tune(examples, base, recipe, course)
    ensemble = Ensemble(load_minilm(base), branch, heads)
    learn_kinds(ensemble, examples, features)
    course.out.mkdir(parents=True, exist_ok=True)
    save_ensemble(ensemble, load_minilm(base), course.out / ADAPTER)


class Features:
    """What the sentence model as it is makes of windows; a checkpoint keeps it."""

    def __init__(self) -> None:
        self.parts = [torch.zeros(0, FEATURES, dtype=torch.float16)]

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"found": torch.cat(self.parts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.parts = [state["found"]]


@torch.inference_mode()
def read_all(examples: Examples, base: Path, course: Course) -> Tensor:
    """Return the features of windows, (windows, FEATURES), read in 8 bits as served.

    Those of one length are read side by side. This takes no minutes of the budget.
    """
    encoder, features = load_minilm(base), Features()
    in_8_bits(encoder)
    windows = examples.windows
    order = sorted(range(len(windows)), key=lambda number: len(windows[number]))
    stage = course.stage(
        "reading",
        model=None,
        kept={"features": features},
        of=math.ceil(len(windows) / _AT_ONCE),
        share=math.inf,
    )
    while stage.goes_on():
        start = stage.update * _AT_ONCE
        chunk = [windows[number] for number in order[start : start + _AT_ONCE]]
        for _, alike in groupby(chunk, key=len):
            features.parts.append(layers_of(encoder, pad(list(alike)), 0)[0].half())
        stage.step()
    found = torch.empty(len(windows), FEATURES, dtype=torch.float16)
    found[order] = torch.cat(features.parts)
    return found


def learn_heads(
    examples: Examples, features: Tensor, recipe: ClassifierRecipe, course: Course
) -> Heads:
    """Learn from features, (windows, FEATURES), which rows are attacks."""
    torch.manual_seed(recipe.seed)
    heads = Heads(recipe.heads)
    optimizer = torch.optim.AdamW(
        heads.parameters(), lr=recipe.head_rate, weight_decay=_HEAD_DECAY
    )
    chance = chances(examples.rows, recipe.generated.share)
    draw = Draw(examples, chance, _HEAD_BATCH, seed=recipe.seed)
    heard = listening(examples.rows, recipe.heads, seed=recipe.seed)
    stage = course.stage(
        "heads",
        model=heads,
        kept={"optimizer": optimizer},
        of=max(1, round(recipe.head_epochs * len(examples.rows) / _HEAD_BATCH)),
        share=_HEADS,
        log_every=recipe.log_every,
    )
    while stage.goes_on():
        rate = recipe.head_rate * rate_at(stage.done)
        optimizer.param_groups[0]["lr"] = rate
        rows = draw.batch(stage.update)
        windows, owners = examples.of(rows)
        # Each update drops other inputs, however often the run was broken off.
        torch.manual_seed(recipe.seed + stage.update)
        logits = heads(features[windows].float(), dropped=_DROPPED)  # (heads, windows)
        parts = losses(
            worst(logits, owners, len(rows)),
            examples.labels[rows].expand(recipe.heads, -1),
            recipe,
            heard[:, rows],
        )
        loss = torch.stack(list(parts.values())).sum()
        move(heads, loss, optimizer)
        stage.step(loss=loss, parts=parts, rate=rate)
    return heads.eval()


def listening(rows: Sequence[Row], heads: int, *, seed: int) -> Tensor:
    """Return which rows each head learns from: 1 or 0, (heads, rows)."""
    rng = random.Random(seed)  # noqa: S311
    by_source = {
        source: [float(rng.random() >= _IGNORED) for _ in range(heads)]
        for source in sorted({row.source for row in rows})
    }
    return torch.tensor([by_source[row.source] for row in rows]).T


def tune(
    examples: Examples, base: Path, recipe: ClassifierRecipe, course: Course
) -> Branch:
    """Tune a copy of the upper layers, and its head."""
    torch.manual_seed(recipe.seed)
    device = this_device()
    encoder = load_minilm(base).to(device)
    branch = Branch(encoder, recipe.frozen).to(device).train()
    is_bf16 = uses_bf16(recipe.precision, course)
    optimizer = torch.optim.AdamW(
        rates_of_layers(branch, recipe), weight_decay=_WEIGHT_DECAY, fused=True
    )
    chance = chances(examples.rows, recipe.generated.share)
    draw = Draw(examples, chance, recipe.batch, seed=recipe.seed)
    mean = RunningMean(branch)
    stage = course.stage(
        "tuning",
        model=branch,
        kept={"optimizer": optimizer, "mean": mean},
        of=max(1, round(recipe.epochs * len(examples.rows) / recipe.batch)),
        share=_TUNING,
        log_every=recipe.log_every,
        precision="bf16" if is_bf16 else "fp32",
    )
    while stage.goes_on():
        # 1. How far to move: each layer at its own rate, and all of them less and less.
        rate = rate_at(stage.done)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * rate
        # 2. What to learn from, and what the frozen layers make of it.
        batch = to_batch(examples, draw.batch(stage.update), device)
        with torch.autocast(device.type, torch.bfloat16, enabled=is_bf16):
            lower = below(encoder, batch.tokens, recipe.frozen)
            logits = branch(lower, batch.tokens.mask)  # (windows,)
        # 3. How wrong that is, and a little step to where it is less so.
        rows = worst(logits.float(), batch.owners, len(batch.labels))
        parts = losses(rows, batch.labels, recipe)
        loss = torch.stack(list(parts.values())).sum()
        move(branch, loss, optimizer)
        if stage.done > 1 - _AVERAGED:
            mean.add(branch)
        stage.step(
            loss=loss,
            parts=parts,
            tokens=int(batch.tokens.mask.sum()),
            rate=recipe.learning_rate * rate,
        )
    mean.replace_weights(branch)
    return branch.cpu().eval()


class Batch(NamedTuple):
    """Windows side by side, filled up to the longest."""

    tokens: Tokens  # ids and mask, both (windows, time)
    owners: Tensor  # (windows,), which row of the batch each is of
    labels: Tensor  # (rows,), 1.0 for an attack


def to_batch(examples: Examples, rows: Sequence[int], device: torch.device) -> Batch:
    """Put the windows of rows side by side on a device."""
    windows, owners = examples.of(rows, _TUNING_WINDOWS)
    ids, mask = pad([examples.windows[number] for number in windows])
    return Batch(
        Tokens(ids.to(device), mask.to(device)),
        owners.to(device),
        examples.labels[list(rows)].to(device),
    )


@torch.no_grad()
def below(encoder: MiniLM, tokens: Tokens, frozen: int) -> Tensor:
    """Return what the first `frozen` layers make of windows, (windows, time, WIDTH)."""
    x = encoder.embed(tokens.ids)
    for layer in encoder.layers[:frozen]:
        x = layer(x, hides(tokens.mask))
    return x


def losses(
    logits: Tensor,
    labels: Tensor,
    recipe: ClassifierRecipe,
    weights: Tensor | None = None,
) -> dict[str, Tensor]:
    """Return the two parts of the loss; all of the same shape, rows last."""
    parts = {"class": class_loss(logits, labels, weights)}
    if recipe.margin_weight:
        parts["margin"] = recipe.margin_weight * false_alarm_loss(
            logits, labels, recipe.margin, weights
        )
    return parts


def learn_kinds(ensemble: Ensemble, examples: Examples, features: Tensor) -> None:
    """Learn of which kind an attack is, from its worst window; nothing else moves.

    Without attacks of at least two kinds it stays undecided.
    """
    known = [
        (number, KINDS.index(row.kind))
        for number, row in enumerate(examples.rows)
        if row.kind is not None
    ]
    nn.init.zeros_(ensemble.kinds.weight)
    nn.init.zeros_(ensemble.kinds.bias)
    if len({kind for _, kind in known}) < 2:
        return
    ensemble.eval()
    seen = []
    for number, _ in known:
        own = features[list(examples.places[number])].float()
        seen.append(own[int(ensemble.heads(own).mean(0).argmax())])
    found = LogisticRegression(C=0.01, max_iter=300, class_weight="balanced").fit(
        torch.stack(seen).numpy(), [kind for _, kind in known]
    )
    weights = torch.from_numpy(found.coef_).float()
    bias = torch.from_numpy(found.intercept_).float()
    with torch.no_grad():
        # A kind that nothing was learned of is never the likeliest.
        ensemble.kinds.bias.fill_(-1e4)
        if len(found.classes_) == 2:
            weights, bias = torch.cat([-weights, weights]), torch.cat([-bias, bias])
        ensemble.kinds.weight[found.classes_] = weights
        ensemble.kinds.bias[found.classes_] = bias


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


def rates_of_layers(branch: Branch, recipe: ClassifierRecipe) -> list[dict[str, Any]]:
    """Return the weights with their rates: the lower, the slower.

    Lower layers know letters and words, which stay as they are; the upper ones know
    what a text is about, and the head knows nothing yet.
    """
    groups = [{"params": list(branch.head.parameters()), "rate": recipe.head_rate}]
    for above, layer in enumerate(reversed(branch.layers)):
        rate = recipe.learning_rate * recipe.layer_decay**above
        groups.append({"params": list(layer.parameters()), "rate": rate})
    return groups


def logits_of(
    ensemble: Ensemble, reader: Reader, rows: Sequence[Row], tuned: float
) -> list[float]:
    """Return the logit of each row as it is served: of the worst of all its windows."""
    return [
        max(logit_of(ensemble(window), tuned) for window in reader.windows(row.text))
        for row in rows
    ]


def judge(recipe: ClassifierRecipe, rows: SplitRows, *, out: Path) -> dict[str, float]:
    """Choose the thresholds of the adapter in `out`; write `guard.json`.

    Returns the figures on rows that moved no weight.
    """
    base = find_folder(recipe.base)
    # From the file and in 8 bits: what is judged is what will be served.
    served, reader = load_ensemble(base, out / ADAPTER), Reader(base, recipe.window)
    kept = rows.held_out or rows.dev
    dev = logits_of(served, reader, rows.dev, recipe.tuned)
    held = logits_of(served, reader, kept, recipe.tuned) if rows.held_out else dev
    labels = [row.label for row in rows.dev]
    temperature = calibrate(dev, labels)
    scores = [1 / (1 + math.exp(-logit / temperature)) for logit in held]
    # Small kinds of one publisher are judged together.
    judged = [replace(row, source=row.publisher) for row in kept]
    threshold = write_thresholds(
        out, judged, scores, rate=recipe.false_alarms, temperature=temperature,
        window=recipe.window, tuned=recipe.tuned,
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
