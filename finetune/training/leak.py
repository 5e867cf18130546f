"""Train the leak guard: first what texts mean, then what that is worth as evidence.

1. A description is pulled towards its word and away from all other words of the batch
   (Oord et al. 2018, arXiv 1807.03748), with a small rate: the sentence model knows
   sentences, and learns here to place single words beside what is said of them.
2. A small head learns how much each kind of evidence counts.

Both learn from words that the guard is not judged on.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from finetune.data.guards.leak import Reply, as_row, leak_rows
from finetune.data.guards.leak import meanings as said_of
from finetune.data.warden.pieces import read_words
from finetune.figures import auc, recall_at
from finetune.guards.detector import (
    ADAPTER,
    changes,
    freeze,
    tokenise,
    windows,
    write_tensors,
)
from finetune.guards.evidence import Vectors, evidence, sentences
from finetune.guards.leak import GUARD, HEAD, Head, Meanings
from finetune.guards.minilm import MiniLM, load_minilm, load_tokenizer, pad
from finetune.recipes.common import RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.training.checkpoint import Checkpoint, Progress, save_weights
from finetune.training.errors import TrainingError
from finetune.training.thresholds import calibrate, even_threshold
from finetune.weights.places import find_folder

Emit = Callable[[dict[str, Any]], None]

_HELD_OUT = 5  # every fifth word is kept for judging
_RATE = 2e-3
_MEANING_EPOCHS = 4
_PAIRS, _OTHERS = 64, 128  # texts of a batch, and words that none of them means
_SHARPNESS = 20.0
_CHECKPOINT_UPDATES = 500
_CHUNK = 500


def train_leak(
    recipe: ClassifierRecipe,
    *,
    out: Path,
    minutes: float | None,
    resume: bool,
    emit: Emit,
) -> dict[str, float]:
    """Train the head; return its figures on replies about words it never saw."""
    torch.manual_seed(recipe.seed)
    folder = find_folder(recipe.base)
    trained, kept = split_words(recipe)
    out.mkdir(parents=True, exist_ok=True)
    minutes = minutes or recipe.minutes
    if not (resume and (out / ADAPTER).is_file()):
        encoder = learn_meanings(
            load_minilm(folder), folder, trained, recipe, minutes, emit
        )
        write_tensors(changes(encoder, load_minilm(folder)), out / ADAPTER)
    meanings = Meanings(folder, out / ADAPTER)
    reference = meanings.embed(meanings.common)
    train_rows, kept_rows = _rows(recipe, trained, kept)
    emit({"event": "rows", "train": len(train_rows), "held_out": len(kept_rows)})
    train_set = gather(train_rows, meanings, reference, minutes)
    train_rows = train_rows[: len(train_set)]
    emit({"event": "evidence", "rows": len(train_rows)})
    head = Head()
    head.mean.copy_(train_set.mean(0))
    head.spread.copy_(train_set.std(0) + 1e-3)
    labels = torch.tensor([float(row.label) for row in train_rows])
    _fit(head, train_set, labels, recipe, minutes, out, resume, emit)
    kept_set = gather(kept_rows, meanings, reference, minutes)
    figures = _finish(head, kept_set, kept_rows[: len(kept_set)], recipe, out)
    tensors = {**head.state_dict(), "reference": torch.tensor(reference).half()}
    save_weights(tensors, out / HEAD)
    Checkpoint(out / "checkpoint").remove()
    emit({"event": "figures", **figures})
    return figures


def gather(
    rows: Sequence[Reply],
    meanings: Meanings,
    reference: Vectors,
    minutes: float | None = None,
) -> Tensor:
    """Return the evidence of the rows, (rows, numbers); each text is read once.

    After `minutes` it is content with the rows that it has, which are at least some.
    """
    started = time.monotonic()
    vectors: dict[str, Vectors] = {}
    found: list[list[float]] = []
    for start in range(0, len(rows), _CHUNK):
        seconds = time.monotonic() - started
        if found and minutes is not None and seconds > 60 * minutes:
            break
        chunk = rows[start : start + _CHUNK]
        cut = {row.reply: sentences(row.reply) for row in chunk}
        parts = {part for told in cut.values() for part in told}
        unread = sorted(parts - vectors.keys(), key=len)
        if unread:
            vectors.update(zip(unread, meanings.embed(unread), strict=True))
        found += [
            evidence(
                row.reply,
                np.stack([vectors[part] for part in cut[row.reply]]),
                row.secret,
                meanings.of_word(row.secret),
                reference,
            )
            for row in chunk
        ]
    return torch.tensor(found, dtype=torch.float32)


def learn_meanings(
    encoder: MiniLM,
    folder: Path,
    words: list[str],
    recipe: ClassifierRecipe,
    minutes: float | None,
    emit: Emit,
) -> MiniLM:
    """Bring words and what is said of them together; the rate falls to zero.

    It takes no more than `minutes`; evidence and head have as many each.
    """
    tokenizer = load_tokenizer(folder)
    pairs = said_of(words)
    dice = random.Random(recipe.seed)  # noqa: S311 -- an order, no secret
    freeze(encoder, recipe.frozen)
    learned = [weight for weight in encoder.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=recipe.learning_rate)
    updates = _MEANING_EPOCHS * len(pairs) // _PAIRS
    started = time.monotonic()
    for update in range(updates):
        share = update / updates
        if minutes is not None:
            share = max(share, (time.monotonic() - started) / (60 * minutes))
        if share >= 1:
            break
        picked = dice.sample(pairs, min(_PAIRS, len(pairs)))
        # Each word once: its second text would count as a text of another word.
        texts = {word: text for text, word in picked}
        others = dice.sample(words, min(_OTHERS, len(words)))
        others = [word for word in others if word not in texts]
        tokens = tokenise(tokenizer, [*texts.values(), *texts, *others])
        vectors = F.normalize(
            encoder(pad([windows(ids, recipe.window)[0] for ids in tokens])), dim=-1
        )
        near = vectors[: len(texts)] @ vectors[len(texts) :].T  # (texts, words)
        loss = F.cross_entropy(_SHARPNESS * near, torch.arange(len(texts)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        rate = min(1, (update + 1) / 5) * (1 - share)
        optimizer.param_groups[0]["lr"] = recipe.learning_rate * rate
        optimizer.step()
        if update % recipe.log_every == 0:
            event = {"event": "meaning", "update": update, "of": updates}
            emit(event | {"loss": float(loss.detach())})
    return encoder.eval()


def split_words(recipe: ClassifierRecipe) -> tuple[list[str], list[str]]:
    """Return the words to train on, and those to judge by."""
    if recipe.generated.words is None:
        raise RecipeError(f"{recipe.name}: generated.words must name a list of words.")
    words = list(read_words(recipe.generated.words))
    random.Random(recipe.seed).shuffle(words)  # noqa: S311 -- an order, no secret
    kept, trained = (
        words[::_HELD_OUT],
        [w for n, w in enumerate(words) if n % _HELD_OUT],
    )
    return trained, kept


def _rows(
    recipe: ClassifierRecipe, trained: list[str], kept: list[str]
) -> tuple[list[Reply], list[Reply]]:
    count = recipe.generated.rows
    return (
        leak_rows(count, trained, seed=recipe.seed),
        leak_rows(count // 4, kept, seed=recipe.seed + 1),
    )


def _fit(
    head: Head,
    found: Tensor,
    labels: Tensor,
    recipe: ClassifierRecipe,
    minutes: float | None,
    out: Path,
    resume: bool,
    emit: Emit,
) -> None:
    optimizer = torch.optim.AdamW(head.parameters(), lr=_RATE, weight_decay=0.01)
    checkpoint, progress = Checkpoint(out / "checkpoint", recipe), Progress()
    # Else only the meanings were finished when the run broke off.
    if resume and checkpoint.exists():
        progress = checkpoint.load(head, optimizer)
    updates = max(1, round(recipe.epochs * len(found) / recipe.batch))
    started = time.monotonic() - progress.seconds
    while progress.update < updates:
        share = progress.update / updates
        if minutes is not None:
            share = max(share, progress.seconds / (60 * minutes))
        if share >= 1:
            break
        # The order hangs on the number of the update alone, so a run can go on.
        dice = torch.Generator().manual_seed(recipe.seed * 1_000_003 + progress.update)
        picked = torch.randint(len(found), (recipe.batch,), generator=dice)
        loss = _loss(head(found[picked]), labels[picked], recipe)
        if not math.isfinite(float(loss.detach())):
            raise TrainingError(f"The loss is no number at update {progress.update}.")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.param_groups[0]["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * share))
        optimizer.step()
        progress.update += 1
        progress.seconds = time.monotonic() - started
        if progress.update % _CHECKPOINT_UPDATES == 0:
            checkpoint.save(head, optimizer, progress)
            event = {"event": "loss", "update": progress.update, "of": updates}
            emit(event | {"loss": float(loss.detach()), "seconds": progress.seconds})


def _loss(logits: Tensor, labels: Tensor, recipe: ClassifierRecipe) -> Tensor:
    loss = F.binary_cross_entropy_with_logits(logits, labels)
    excess = F.relu(logits[labels == 0] + recipe.margin)
    if len(excess):
        loss = loss + recipe.margin_weight * excess.square().mean()
    return loss


@torch.inference_mode()
def _finish(
    head: Head,
    found: Tensor,
    rows: Sequence[Reply],
    recipe: ClassifierRecipe,
    out: Path,
) -> dict[str, float]:
    logits = head.eval()(found).tolist()
    labels = [row.label for row in rows]
    temperature = calibrate(logits, labels)
    scores = torch.sigmoid(torch.tensor(logits) / temperature).tolist()
    as_rows = [as_row(row) for row in rows]
    rate = recipe.false_alarms
    thresholds = {
        str(share): even_threshold(as_rows, scores, share)
        for share in (rate / 2, rate, 5 * rate)
    }
    guard = {
        "temperature": temperature,
        "threshold": thresholds[str(rate)],
        "thresholds": thresholds,
    }
    out.mkdir(parents=True, exist_ok=True)
    new = out / f"{GUARD}.new"
    new.write_text(json.dumps(guard, indent=2) + "\n", "utf-8")
    new.replace(out / GUARD)
    figures = {
        "held_out_auc": auc(scores, labels),
        "held_out_recall_at_1pct": recall_at(scores, labels),
        "threshold": guard["threshold"],
    }
    for source in sorted({row.source for row in rows}):
        own = [
            s
            for s, row in zip(scores, rows, strict=True)
            if row.source == source and row.label
        ]
        if own:
            share = sum(s >= guard["threshold"] for s in own) / len(own)
            figures[f"recall_{source.removeprefix('made/')}"] = share
    return {name: value for name, value in figures.items() if isinstance(value, float)}
