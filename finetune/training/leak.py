"""Train the leak guard: first what texts mean, then what that is worth as evidence.

Three stages, one after the other:

1. `meanings`: a description is pulled towards its word and away from all other words
   of the batch (Oord et al. 2018, arXiv 1807.03748), with a small rate: the sentence
   model knows sentences, and learns here to place single words beside what is said of
   them.
2. `evidence`: every reply is read, and becomes 21 numbers (`NAMES` in
   finetune/guards/evidence.py) that say how it relates to the secret. No weight moves.
3. `head`: a small network learns how much each of these numbers counts.

All learn from words that the guard is not judged on. Each stage has a third of the
minutes, if the run has a time budget.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from finetune.data.guards.leak import LabelledReply, as_row, leak_rows
from finetune.data.guards.leak import meanings as said_of
from finetune.data.warden.pieces import read_words
from finetune.figures import auc, recall_at
from finetune.guards.detector import (
    ADAPTER,
    changes,
    freeze,
    tokenise,
    windows,
)
from finetune.guards.evidence import NAMES, Vectors, evidence, sentences
from finetune.guards.leak import HEAD, Head, Meanings
from finetune.guards.minilm import load_minilm, load_tokenizer, pad
from finetune.recipes.common import RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.training.course import Course
from finetune.training.events import RowsRead
from finetune.training.guard_losses import class_loss, false_alarm_loss
from finetune.training.thresholds import calibrate, write_thresholds
from finetune.weights.places import find_folder
from finetune.weights.tensors import write_tensors

_HELD_OUT = 5  # every fifth word is kept for judging
_HEAD_RATE, _WEIGHT_DECAY = 2e-3, 0.01
_MEANING_EPOCHS = 4
_PAIRS, _OTHERS = 64, 128  # texts of a batch, and words that none of them means
_WARM_UP = 5  # updates
_SHARPNESS = 20.0
_CHUNK = 500  # replies that are read at a time
_SHARE = 1 / 3  # of the minutes, for each stage
_MANY = 1_000_003  # seeds of different runs are that far apart


def train(recipe: ClassifierRecipe, course: Course) -> dict[str, float]:
    """Go through all three stages; return the figures on words that nothing learned.

    Writes `adapter.safetensors`, `head.safetensors` and `guard.json` to the folder of
    the course. Asked to stop, it leaves a checkpoint and no `guard.json`.
    Raises RunStopped, TrainingError, RecipeError, ModelMissing or PiecesError.
    """
    folder = find_folder(recipe.base)
    trained, kept = split_words(recipe)
    adapter = course.made / ADAPTER
    # Once it is there, the first stage is over.
    if not adapter.is_file():
        learn_meanings(folder, trained, recipe, course)
    meanings = Meanings(folder, adapter)
    reading = Evidence(meanings, meanings.embed(meanings.common))
    count, seed = recipe.generated.rows, recipe.seed
    rows = leak_rows(count, trained, seed=seed)
    held_out = leak_rows(count // 4, kept, seed=seed + 1)
    course.emit(RowsRead(train=len(rows), held_out=len(held_out)))
    found = gather(rows, reading, course)  # (rows, 21)
    head = learn_head(found, rows[: len(found)], recipe, course)
    kept_found = reading.of(held_out)
    figures = judge(
        head, kept_found, held_out, rate=recipe.false_alarms, out=course.out
    )
    reference = torch.tensor(reading.reference).half()
    write_tensors({**head.state_dict(), "reference": reference}, course.out / HEAD)
    write_tensors(load_file(adapter), course.out / ADAPTER)
    course.finish(figures)
    return figures


def learn_meanings(
    folder: Path, words: list[str], recipe: ClassifierRecipe, course: Course
) -> None:
    """Bring words and what is said of them together; leave the adapter in `made`.

    Each text of a batch has one right word, and all other words of the batch are wrong:
    which one is meant? The rate falls to zero.
    """
    torch.manual_seed(recipe.seed)
    encoder, tokenizer = load_minilm(folder), load_tokenizer(folder)
    freeze(encoder, recipe.frozen)
    learned = [weight for weight in encoder.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=recipe.learning_rate)
    pairs = said_of(words)
    stage = course.stage(
        "meanings",
        model=encoder,
        kept={"optimizer": optimizer},
        of=max(1, _MEANING_EPOCHS * len(pairs) // _PAIRS),
        share=_SHARE,
        log_every=recipe.log_every,
    )
    while stage.goes_on():
        warm = min(1.0, (stage.update + 1) / _WARM_UP)
        rate = recipe.learning_rate * warm * (1 - stage.done)
        optimizer.param_groups[0]["lr"] = rate
        # The draw depends on the number of the update alone, so a run can go on.
        # A seeded draw of training data, no secret.
        rng = random.Random(recipe.seed * _MANY + stage.update)  # noqa: S311
        texts, others = draw(pairs, words, rng)
        tokens = [
            windows(ids, recipe.window)[0]
            for ids in tokenise(tokenizer, [*texts.values(), *texts, *others])
        ]
        vectors = F.normalize(encoder(pad(tokens)), dim=-1)  # (texts and words, 384)
        # How near each text is to each word: (texts, words). Right is the diagonal.
        near = vectors[: len(texts)] @ vectors[len(texts) :].T
        loss = F.cross_entropy(_SHARPNESS * near, torch.arange(len(texts)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        stage.step(loss=loss, tokens=sum(map(len, tokens)), rate=rate)
    course.made.mkdir(parents=True, exist_ok=True)
    write_tensors(changes(encoder.eval(), load_minilm(folder)), course.made / ADAPTER)


def draw(
    pairs: list[tuple[str, str]], words: list[str], rng: random.Random
) -> tuple[dict[str, str], list[str]]:
    """Draw a batch: words with a text about each, and words that no text is about."""
    picked = rng.sample(pairs, min(_PAIRS, len(pairs)))
    # Each word once: its second text would count as a text of another word.
    texts = {word: text for text, word in picked}
    others = rng.sample(words, min(_OTHERS, len(words)))
    return texts, [word for word in others if word not in texts]


class Evidence:
    """The evidence of replies, and the vectors of the texts that were read for it.

    A checkpoint keeps both: in 8 bits the vector of a text depends a little on the
    texts that are read with it, so after an interruption none is read again.
    """

    def __init__(self, meanings: Meanings, reference: Vectors) -> None:
        """`reference` are the vectors of common words, (words, 384)."""
        self.reference = reference
        self.found = torch.zeros(0, len(NAMES))  # (replies read, 21)
        self._meanings = meanings
        self._vectors: dict[str, Vectors] = {}

    def read(self, rows: Sequence[LabelledReply]) -> None:
        """Add the evidence of some replies."""
        cut = {row.reply: sentences(row.reply) for row in rows}
        parts = {part for told in cut.values() for part in told}
        # By length for the least filling; and always in the same order.
        unread = sorted(
            parts - self._vectors.keys(), key=lambda text: (len(text), text)
        )
        if unread:
            read = self._meanings.embed(unread)
            self._vectors.update(zip(unread, read, strict=True))
        new = [
            evidence(
                row.reply,
                np.stack([self._vectors[part] for part in cut[row.reply]]),
                row.secret,
                self._meanings.vector(row.secret),
                self.reference,
            )
            for row in rows
        ]
        self.found = torch.cat([self.found, torch.tensor(new, dtype=torch.float32)])

    def of(self, rows: Sequence[LabelledReply]) -> Tensor:
        """Return the evidence of other replies, (replies, 21), without keeping it."""
        other = Evidence(self._meanings, self.reference)
        for start in range(0, len(rows), _CHUNK):
            other.read(rows[start : start + _CHUNK])
        return other.found

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        vectors = list(self._vectors.values())
        return {
            "found": self.found,
            "texts": list(self._vectors),
            "vectors": torch.from_numpy(np.stack(vectors)) if vectors else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.found = state["found"]
        if state["vectors"] is not None:
            vectors = state["vectors"].numpy()
            self._vectors = dict(zip(state["texts"], vectors, strict=True))


def gather(rows: Sequence[LabelledReply], reading: Evidence, course: Course) -> Tensor:
    """Read replies, and return their evidence, (replies, 21); each text is read once.

    After its time it is content with the replies that it has read, which are at least
    some.
    """
    stage = course.stage(
        "evidence",
        model=None,
        kept={"evidence": reading},
        of=math.ceil(len(rows) / _CHUNK),
        share=_SHARE,
    )
    while stage.goes_on():
        start = stage.update * _CHUNK
        reading.read(rows[start : start + _CHUNK])
        stage.step()
    return reading.found


def learn_head(
    found: Tensor,
    rows: Sequence[LabelledReply],
    recipe: ClassifierRecipe,
    course: Course,
) -> Head:
    """Learn from evidence, (replies, 21), which replies give their secret away."""
    torch.manual_seed(recipe.seed)
    head = Head()
    # Cosines, ranks and lengths are brought to the same scale first.
    head.mean.copy_(found.mean(0))
    head.spread.copy_(found.std(0) + 1e-3)
    labels = torch.tensor([float(row.label) for row in rows])  # (replies,)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=_HEAD_RATE, weight_decay=_WEIGHT_DECAY
    )
    stage = course.stage(
        "head",
        model=head,
        kept={"optimizer": optimizer},
        of=max(1, round(recipe.epochs * len(found) / recipe.batch)),
        share=_SHARE,
        log_every=recipe.log_every,
    )
    while stage.goes_on():
        rate = _HEAD_RATE * 0.5 * (1 + math.cos(math.pi * stage.done))
        optimizer.param_groups[0]["lr"] = rate
        # The order depends on the number of the update alone, so a run can go on.
        rng = torch.Generator().manual_seed(recipe.seed * _MANY + stage.update)
        picked = torch.randint(len(found), (recipe.batch,), generator=rng)
        logits = head(found[picked])  # (batch,)
        parts = {"class": class_loss(logits, labels[picked])}
        if recipe.margin_weight:
            parts["margin"] = recipe.margin_weight * false_alarm_loss(
                logits, labels[picked], recipe.margin
            )
        loss = torch.stack(list(parts.values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        stage.step(loss=loss, parts=parts, rate=rate)
    return head


@torch.inference_mode()
def judge(
    head: Head, found: Tensor, rows: Sequence[LabelledReply], *, rate: float, out: Path
) -> dict[str, float]:
    """Choose the thresholds for a rate of false alarms; write `guard.json`.

    Returns the figures on these replies; `found` is their evidence, (replies, 21).
    """
    logits = head.eval()(found).tolist()
    labels = [row.label for row in rows]
    temperature = calibrate(logits, labels)
    scores = torch.sigmoid(torch.tensor(logits) / temperature).tolist()
    threshold = write_thresholds(
        out, [as_row(row) for row in rows], scores, rate=rate, temperature=temperature
    )
    figures = {
        "held_out_auc": auc(scores, labels),
        "held_out_recall_at_1pct": recall_at(scores, labels),
        "threshold": threshold,
    }
    for source in sorted({row.source for row in rows}):
        own = [
            score
            for score, row in zip(scores, rows, strict=True)
            if row.source == source and row.label
        ]
        if own:
            share = sum(score >= threshold for score in own) / len(own)
            figures[f"recall_{source.removeprefix('made/')}"] = share
    return {name: value for name, value in figures.items() if value is not None}


def split_words(recipe: ClassifierRecipe) -> tuple[list[str], list[str]]:
    """Return the words to train on, and those to judge by: one in five.

    By a hash of the word, so that an edit of the list moves no other word from one side
    to the other: what is judged by was never trained on.
    """
    if recipe.generated.words is None:
        raise RecipeError(f"{recipe.name}: generated.words must name a list of words.")
    words = read_words(recipe.generated.words)
    kept = [word for word in words if _is_kept(word)]
    return [word for word in words if not _is_kept(word)], kept


def _is_kept(word: str) -> bool:
    return hashlib.sha256(word.encode()).digest()[0] % _HELD_OUT == 0
