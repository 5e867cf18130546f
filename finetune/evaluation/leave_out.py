"""How a guard does on sources that it was not trained on.

`python -m finetune.evaluation.leave_out RECIPE` trains once for each fold of a recipe,
without the sources of the fold, and writes what it then finds in them to `folds.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from finetune.data.guards.collect import collect
from finetune.data.guards.rows import Row
from finetune.figures import auc, recall_at, wilson
from finetune.guards.detector import ADAPTER, load_detector, quantised
from finetune.recipes.guard import ClassifierRecipe
from finetune.recipes.reading import load_recipe
from finetune.training.course import Course
from finetune.training.events import record
from finetune.training.gate import fit
from finetune.training.reader import Reader
from finetune.training.thresholds import even_threshold
from finetune.weights.places import find_folder

FOLDS = "folds.json"


def run_fold(
    recipe: ClassifierRecipe,
    name: str,
    *,
    out: Path,
    minutes: float | None,
    is_trained: bool = False,
) -> dict[str, Any]:
    """Train without the sources of a fold; return the figures of each of them.

    The threshold is the fold's own, chosen like that of the release. With `is_trained`
    the adapter that lies in `out` is judged, whatever machine it was trained on.
    """
    left_out = recipe.folds[name]
    rest = recipe.model_copy(update={"held_out": (*recipe.held_out, *left_out)})
    rows = collect(rest, _say)
    if not is_trained:
        course = Course(
            rest, out, minutes=minutes, emit=lambda event: _say(record(event))
        )
        fit(rest, rows.train, course)
        course.close()
    folder = find_folder(recipe.base)
    detector = quantised(load_detector(folder, out / ADAPTER))
    logits = Reader(folder, recipe.window).logits(detector, rows.held_out)
    scores = torch.tensor(logits, dtype=torch.float64).sigmoid().tolist()
    # As for the release, the threshold knows the sources of `held_out` only.
    own = [
        (row, score)
        for row, score in zip(rows.held_out, scores, strict=True)
        if row.source.startswith(recipe.held_out)
    ]
    known, known_scores = [row for row, _ in own], [score for _, score in own]
    threshold = even_threshold(known, known_scores, recipe.false_alarms)
    benign = [score for row, score in own if not row.label]
    return _by_source(rows.held_out, scores, threshold, benign)


def _by_source(
    rows: list[Row], scores: list[float], threshold: float, benign: list[float]
) -> dict[str, Any]:
    groups: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row, score in zip(rows, scores, strict=True):
        groups[row.source].append((row.label, score))
    found = {}
    for source, pairs in groups.items():
        attacks = [score for label, score in pairs if label]
        harmless = [score for label, score in pairs if not label]
        figures: dict[str, Any] = {"rows": len(pairs)}
        if attacks:
            hits = sum(score >= threshold for score in attacks)
            # Against general benign talk that was not trained on, either.
            both, labels = attacks + benign, [1] * len(attacks) + [0] * len(benign)
            figures |= {
                "recall": list(wilson(hits, len(attacks))),
                "auc": auc(both, labels),
                "recall_at_1pct_fpr": recall_at(both, labels),
            }
        if harmless:
            alarms = sum(score >= threshold for score in harmless)
            figures["false_alarms"] = list(wilson(alarms, len(harmless)))
        found[source] = figures
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the folds, one after the other."""
    parser = argparse.ArgumentParser(prog="leave_out", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--fold", action="append", help="only these; default: all")
    parser.add_argument("--minutes", type=float, help="time budget of each")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--trained", action="store_true", help="judge the adapters that lie in --out"
    )
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recipe = load_recipe(chosen.recipe)
    if not isinstance(recipe, ClassifierRecipe):
        parser.error("Only recipes of guards have folds.")
    path = chosen.out / FOLDS
    found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for name in chosen.fold or recipe.folds:
        found[name] = run_fold(
            recipe,
            name,
            out=chosen.out / name,
            minutes=chosen.minutes,
            is_trained=chosen.trained,
        )
        path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


def _say(event: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(event) + "\n")


if __name__ == "__main__":
    sys.exit(main())
