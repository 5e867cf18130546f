"""Train a guard: the sentence model learns to tell attacks from harmless messages.

Read it from `train` downwards; it is the whole loop. The idea in five steps:

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

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from finetune.data.guards.collect import SplitRows as Rows
from finetune.data.guards.collect import collect
from finetune.data.guards.rows import Row
from finetune.figures import auc, recall_at
from finetune.guards.canonical import Canonicaliser
from finetune.guards.detector import (
    ADAPTER,
    Detector,
    freeze,
    load_detector,
    logits_of,
    quantised,
    save_adapter,
    tokenise,
    windows,
)
from finetune.guards.minilm import LAYERS, Tokens, load_minilm, load_tokenizer, pad
from finetune.recipes.classifier import ClassifierRecipe
from finetune.recipes.recipe import RecipeError
from finetune.training.checkpoint import Checkpoint, Progress
from finetune.training.errors import TrainingError
from finetune.training.leak import train_leak
from finetune.training.thresholds import calibrate, even_threshold
from finetune.weights.base import is_bf16_faster
from finetune.weights.places import find_folder
from finetune.weights.tensors import write_tensors

Emit = Callable[[dict[str, Any]], None]

GUARD = "guard.json"
_CHECKPOINT = "checkpoint"
_AVERAGED = 0.4  # last share of the run whose weights are averaged
_WARM_UP = 0.06
_CHECKPOINT_SECONDS = 120
_NEIGHBOURS = 0.1  # temperature of the contrastive loss
# Where an attack stands among other text.
_BURIED = ("made/hidden", "made/paper")
# Windows of one long attack that are trained on: its first ones.
_MOST_TRAINED = 4


class Example(NamedTuple):
    """One window of a row."""

    ids: list[int]
    label: int
    pair: int | None


def train(
    recipe: ClassifierRecipe,
    *,
    out: Path,
    minutes: float | None,
    resume: bool,
    emit: Emit,
) -> dict[str, float]:
    """Train until the epochs or the minutes are over; return the held-out figures.

    Writes `adapter.safetensors` and `guard.json` (threshold, window) to `out`.
    Raises TrainingError, RecipeError, ModelMissing or PiecesError.
    """
    if recipe.task == "leak":
        if recipe.start is not None:
            raise RecipeError("start: only a gate can go on from another one.")
        return train_leak(recipe, out=out, minutes=minutes, resume=resume, emit=emit)
    rows = collect(recipe, emit)
    fit(recipe, rows.train, out=out, minutes=minutes, resume=resume, emit=emit)
    return judge(recipe, rows, out=out, emit=emit)


def judge(
    recipe: ClassifierRecipe, rows: Rows, *, out: Path, emit: Emit
) -> dict[str, float]:
    """Choose the thresholds of the adapter in `out`; return its held-out figures."""
    folder = find_folder(recipe.base)
    # From the file and in 8 bits: what is judged is what will be served.
    served = quantised(load_detector(folder, out / ADAPTER))
    figures = finish(served, Reader(folder, recipe.window), rows, recipe, out)
    emit({"event": "figures", **figures})
    return figures


def fit(
    recipe: ClassifierRecipe,
    rows: Sequence[Row],
    *,
    out: Path,
    minutes: float | None,
    resume: bool,
    emit: Emit,
) -> None:
    """Learn from rows; write `adapter.safetensors` to `out`.

    A guard that is trained twice has its first weights in `out/first`. Without any row
    of the fold, as where its files are missing, once is enough.
    """
    minutes = recipe.minutes if minutes is None else minutes
    others = recipe.folds[recipe.first_without] if recipe.first_without else ()
    kept = [row for row in rows if not row.source.startswith(others)]
    if len(kept) == len(rows):
        _learn(recipe, rows, out=out, minutes=minutes, resume=resume, emit=emit)
        return
    first, half = out / "first", None if minutes is None else minutes / 2
    if not resume:
        (first / ADAPTER).unlink(missing_ok=True)
        Checkpoint(out / _CHECKPOINT).remove()
    if not (first / ADAPTER).is_file():
        _learn(recipe, kept, out=first, minutes=half, resume=resume, emit=emit)
    # Stopped between the two, the second has nothing to resume.
    resume = resume and Checkpoint(out / _CHECKPOINT).exists()
    again = recipe.model_copy(update={"start": first})
    _learn(again, rows, out=out, minutes=half, resume=resume, emit=emit)


def _learn(
    recipe: ClassifierRecipe,
    rows: Sequence[Row],
    *,
    out: Path,
    minutes: float | None,
    resume: bool,
    emit: Emit,
) -> None:
    """Learn from rows, once. What goes on from a gate becomes the mean of both."""
    torch.manual_seed(recipe.seed)
    folder = find_folder(recipe.base)
    emit({"event": "rows", "train": len(rows)})
    detector = _first_detector(recipe, folder)
    detector.to("cuda" if torch.cuda.is_available() else "cpu")
    freeze(detector.encoder, recipe.frozen)
    examples = Reader(folder, recipe.window).examples(rows)
    loop = Loop(recipe, detector, examples, minutes, out, emit)
    if resume:
        loop.load()
    loop.run()
    loop.use_average()
    out.mkdir(parents=True, exist_ok=True)
    save_adapter(detector.cpu(), load_minilm(folder), out / ADAPTER)
    if recipe.start is not None:
        write_tensors(average([out, recipe.start]), out / ADAPTER)
    loop.checkpoint.remove()


def average(folders: Sequence[Path]) -> dict[str, Tensor]:
    """Return the mean of each tensor of the adapters in these folders, in its type.

    A weight that an adapter leaves as it is in the base counts as a change of 0. Raises
    RecipeError if one cannot be read or is of another shape.
    """
    loaded = [_read(folder / ADAPTER) for folder in folders]
    whole = {name: tensor for one in loaded for name, tensor in one.items()}
    means = {}
    for name, like in whole.items():
        tensors = [one.get(name, torch.zeros_like(like)).float() for one in loaded]
        if {tensor.shape for tensor in tensors} != {like.shape}:
            raise RecipeError(f"The adapters differ in the shape of {name}.")
        means[name] = torch.stack(tensors).mean(0).to(like.dtype)
    return means


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(f"{path} is no adapter: {error}") from error


def _first_detector(recipe: ClassifierRecipe, folder: Path) -> Detector:
    """Return what the run starts from; raise RecipeError if that is not there."""
    if recipe.start is None:
        return Detector(load_minilm(folder))
    adapter = recipe.start / ADAPTER
    try:
        return load_detector(folder, adapter)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise RecipeError(f"{adapter} is no guard to go on from: {error}") from error


class Reader:
    """Texts → windows of tokens, in the plain form that the guard reads."""

    def __init__(self, folder: Path, window: int) -> None:
        self._tokenizer: Tokenizer = load_tokenizer(folder)
        vocabulary = (folder / "vocab.txt").read_text("utf-8").splitlines()
        self._plain = Canonicaliser(vocabulary)
        self._window = window

    def windows(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """Return the windows of each text."""
        plain = [self._plain(text) for text in texts]
        return [windows(ids, self._window) for ids in tokenise(self._tokenizer, plain)]

    def examples(self, rows: Sequence[Row]) -> list[Example]:
        """Return what is trained on, once and for all epochs.

        Of a harmless text every window is harmless. Of an attack that was put into
        other text, only the window around it is known to be one.
        """
        found = []
        cut = self.windows([row.text for row in rows])
        for row, parts in zip(rows, cut, strict=True):
            if row.label and row.source in _BURIED and len(parts) > 1:
                continue
            used = parts[:_MOST_TRAINED]
            found += [Example(part, row.label, row.pair) for part in used]
        return found

    def logits(self, detector: Detector, rows: Sequence[Row]) -> list[float]:
        """Return for each row the highest logit of its windows."""
        # One text at a time, as it is served: in 8 bits a batch shares its scale.
        return [
            max(logits_of(detector, parts))
            for parts in self.windows([row.text for row in rows])
        ]


class Loop:
    """The state of a run and its one step."""

    def __init__(
        self,
        recipe: ClassifierRecipe,
        detector: Detector,
        examples: list[Example],
        minutes: float | None,
        out: Path,
        emit: Emit,
    ) -> None:
        self.recipe = recipe
        self.detector = detector
        self.examples = examples
        self.emit = emit
        self.minutes = minutes if minutes is not None else recipe.minutes
        self.updates = max(1, round(recipe.epochs * len(examples) / recipe.batch))
        self.optimizer = torch.optim.AdamW(
            self._groups(), weight_decay=0.01, fused=True
        )
        self.progress = Progress()
        self.checkpoint = Checkpoint(out / _CHECKPOINT, recipe)
        self.device = next(detector.parameters()).device
        self.uses_bf16 = is_bf16_faster(self.device)
        # The average is a second model: a checkpoint then holds both alike.
        self.average = {
            name: weight.detach().clone() for name, weight in self._learned()
        }
        self.averaged = 0
        self.paired = 0  # updates of the first phase, on pairs alone

    def run(self) -> None:
        """Do all updates, each on the next batch of a seeded order."""
        started = saved = time.monotonic() - self.progress.seconds
        recent: list[dict[str, float]] = []
        self.detector.train()
        batches = self._batches()
        while (done := self._done()) < 1:
            recent.append(self._step(next(batches), done))
            self.progress.update += 1
            self.progress.seconds = time.monotonic() - started
            if self.progress.update % self.recipe.log_every == 0:
                self._log(recent)
                recent = []
            if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
        self.detector.eval()

    def save(self) -> None:
        """Write a checkpoint; the average goes with the optimizer's state."""
        self.checkpoint.save(self.detector, self, self.progress)

    def load(self) -> None:
        """Go on from the last checkpoint; raise RecipeError if there is none."""
        self.progress = self.checkpoint.load(self.detector, self)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is to be kept besides the weights."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "averaged": self.averaged,
            "paired": self.paired,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = {
            name: weight.to(self.device) for name, weight in state["average"].items()
        }
        self.averaged = state["averaged"]
        self.paired = state["paired"]

    def use_average(self) -> None:
        """Replace the weights by their average over the last part of the run."""
        if self.averaged:
            self.detector.load_state_dict(self.average, strict=False)

    def _step(self, batch: list[Example], done: float) -> dict[str, float]:
        ids, mask = pad([example.ids for example in batch])
        tokens = Tokens(ids.to(self.device), mask.to(self.device))
        labels = torch.tensor(
            [float(example.label) for example in batch], device=self.device
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.uses_bf16):
            logits, vectors = self.detector(tokens)  # (batch,), (batch, 384)
        parts = self._losses(logits.float(), vectors.float(), labels, done)
        loss = torch.stack(list(parts.values())).sum()
        if not math.isfinite(float(loss.detach())):
            raise TrainingError(
                f"The loss is {float(loss.detach())} at update {self.progress.update}:"
                " lower learning_rate in the recipe."
            )
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        learned = [weight for _, weight in self._learned()]
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        self._set_rates(done)
        self.optimizer.step()
        if done > 1 - _AVERAGED:
            self._average()
        self.progress.tokens += int(mask.sum())
        parts["loss"] = loss
        return {name: float(part.detach()) for name, part in parts.items()}

    def _losses(
        self, logits: Tensor, vectors: Tensor, labels: Tensor, done: float
    ) -> dict[str, Tensor]:
        parts = {"class": F.binary_cross_entropy_with_logits(logits, labels)}
        if done < self.recipe.contrast:
            parts["contrast"] = contrastive(vectors, labels)
        elif self.recipe.margin_weight:
            excess = F.relu(logits[labels == 0] + self.recipe.margin)
            parts["margin"] = self.recipe.margin_weight * excess.square().mean()
        # Without any benign row in the batch there is no mean.
        return {name: part for name, part in parts.items() if not part.isnan()}

    def _groups(self) -> list[dict[str, Any]]:
        """Return the weights with their rates: the lower, the slower."""
        recipe = self.recipe
        groups = [
            {"params": list(self.detector.head.parameters()), "rate": recipe.head_rate}
        ]
        for number, layer in enumerate(self.detector.encoder.layers):
            if number >= recipe.frozen:
                rate = recipe.learning_rate * recipe.layer_decay ** (
                    LAYERS - 1 - number
                )
                groups.append({"params": list(layer.parameters()), "rate": rate})
        return groups

    def _set_rates(self, done: float) -> None:
        """Warm up, then fall like half a cosine wave."""
        share = min(done / _WARM_UP, 0.5 * (1 + math.cos(math.pi * done)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * max(share, 1e-3)

    def _average(self) -> None:
        self.averaged += 1
        for name, weight in self._learned():
            mean = self.average[name]
            mean += (weight.detach() - mean) / self.averaged

    def _learned(self) -> Iterator[tuple[str, Tensor]]:
        for name, weight in self.detector.named_parameters():
            if weight.requires_grad:
                yield name, weight

    def _done(self) -> float:
        """Return which share of the run is over: of updates, or of the time."""
        by_updates = self.progress.update / self.updates
        if self.minutes is None:
            return by_updates
        return max(by_updates, self.progress.seconds / (60 * self.minutes))

    def _batches(self) -> Iterator[list[Example]]:
        """Yield batches for ever: pairs first, then all; each time in a new order."""
        pairs = [example for example in self.examples if example.pair is not None]
        paired = self._order(pairs, self.paired)
        all_rows = self._order(self.examples, self.progress.update - self.paired)
        while True:
            if pairs and self._done() < self.recipe.contrast:
                self.paired += 1
                yield next(paired)
            else:
                yield next(all_rows)

    def _order(self, examples: list[Example], done: int) -> Iterator[list[Example]]:
        """Yield batches in the order of the seed, from the first that is not done."""
        dice = random.Random(self.recipe.seed)  # noqa: S311 -- an order, no secret
        return islice(_in_batches(examples, self.recipe.batch, dice), done, None)

    def _log(self, recent: list[dict[str, float]]) -> None:
        names = sorted({name for losses in recent for name in losses})
        self.emit(
            {
                "event": "loss",
                "update": self.progress.update,
                "of": self.updates,
                **{
                    name: sum(losses.get(name, 0.0) for losses in recent) / len(recent)
                    for name in names
                },
                "tokens_per_second": self.progress.tokens / self.progress.seconds,
                "seconds": self.progress.seconds,
            }
        )


def contrastive(vectors: Tensor, labels: Tensor) -> Tensor:
    """Pull vectors of one kind together and away from those of the other kind.

    For each vector: how likely is it that another of its kind is picked, when near
    ones are picked more often? `vectors` are of length one, (batch, width).
    """
    near = vectors @ vectors.T / _NEIGHBOURS  # (batch, batch)
    itself = torch.eye(len(near), dtype=torch.bool, device=near.device)
    chance = F.log_softmax(near.masked_fill(itself, -math.inf), dim=1)
    alike = (labels[:, None] == labels[None, :]) & ~itself
    count = alike.sum(1).clamp(min=1)
    return -(chance.masked_fill(~alike, 0.0).sum(1) / count).mean()


def _in_batches(
    examples: list[Example], size: int, dice: random.Random
) -> Iterator[list[Example]]:
    """Yield batches of about equal lengths; twins stay side by side."""
    while examples:
        places: dict[object, int] = {}
        order = []
        for number, example in enumerate(examples):
            key = number if example.pair is None else ("pair", example.pair)
            order.append((places.setdefault(key, dice.getrandbits(40)), number))
        shuffled = [examples[number] for _, number in sorted(order)]
        pool = 32 * size
        batches = []
        for start in range(0, len(shuffled), pool):
            near = _by_length(shuffled[start : start + pool])
            batches += [near[i : i + size] for i in range(0, len(near), size)]
        dice.shuffle(batches)
        yield from batches


def _by_length(examples: list[Example]) -> list[Example]:
    longest: dict[int | None, int] = {}
    for example in examples:
        size = len(example.ids)
        longest[example.pair] = max(size, longest.get(example.pair, 0))
    return sorted(
        examples,
        key=lambda e: (
            len(e.ids) if e.pair is None else longest[e.pair],
            -1 if e.pair is None else e.pair,
        ),
    )


def finish(
    detector: Detector, reader: Reader, rows: Rows, recipe: ClassifierRecipe, out: Path
) -> dict[str, float]:
    """Choose temperature and thresholds; write `guard.json`; return the figures."""
    kept = rows.held_out or rows.dev
    dev, held = reader.logits(detector, rows.dev), reader.logits(detector, kept)
    temperature = calibrate(dev, [row.label for row in rows.dev])
    scores = [1 / (1 + math.exp(-logit / temperature)) for logit in held]
    thresholds = {
        str(rate): even_threshold(kept, scores, rate)
        for rate in (
            recipe.false_alarms / 2,
            recipe.false_alarms,
            5 * recipe.false_alarms,
        )
    }
    threshold = thresholds[str(recipe.false_alarms)]
    guard = {
        "temperature": temperature,
        "threshold": threshold,
        "thresholds": thresholds,
        "window": recipe.window,
    }
    new = out / f"{GUARD}.new"
    new.write_text(json.dumps(guard, indent=2) + "\n", "utf-8")
    new.replace(out / GUARD)
    labels = [row.label for row in rows.dev]
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
    return {name: value for name, value in found.items() if isinstance(value, float)}
