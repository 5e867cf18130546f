"""How a gate does on publishers that it was not trained on.

`python -m finetune.evaluation.leave_out RECIPE` trains without the sources of each fold
of a recipe, with several seeds, and writes what it then finds in them to `folds.json`.
Started again, it goes on with what is not in there. The sentence model reads all rows
once, for all folds. Tuning takes long, so only the first `--tuned` seeds of a fold do
it; what they find is told apart.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from finetune.data.guards.collect import collect
from finetune.data.guards.rows import Row
from finetune.figures import auc, recall_at
from finetune.guards.detector import in_8_bits
from finetune.guards.ensemble import Ensemble, Heads
from finetune.guards.gate import logit_of
from finetune.guards.minilm import load_minilm
from finetune.guards.readings import Reader
from finetune.recipes.guard import ClassifierRecipe
from finetune.recipes.reading import load_recipe
from finetune.training.course import Course
from finetune.training.events import record
from finetune.training.examples import Examples, worst
from finetune.training.gate import learn_heads, read_all, tune
from finetune.training.thresholds import even_threshold
from finetune.weights.files import write_json
from finetune.weights.places import find_folder

FOLDS = "folds.json"
Figures = dict[str, Any]


def all_rows(
    recipe: ClassifierRecipe, emit: Callable[[dict[str, Any]], None]
) -> list[Row]:
    """Return every row of a recipe, in an order that is always the same."""
    rows = collect(recipe.model_copy(update={"held_out": ()}), emit)
    return [*rows.train, *rows.dev]


def left_out(recipe: ClassifierRecipe, fold: str) -> tuple[str, ...]:
    """Return how the names of the sources begin that a fold is trained without."""
    return (*recipe.folds[fold], *recipe.held_out)


class LeaveOut:
    """All rows of a recipe, read once, and what is learned without some of them."""

    def __init__(self, recipe: ClassifierRecipe, out: Path) -> None:
        self.recipe, self.out = recipe, out
        self.base = find_folder(recipe.base)
        reader = Reader(self.base, recipe.window)
        self.examples = Examples.read(all_rows(recipe, _say), reader)
        course = self._course("all", recipe)
        self.features = read_all(self.examples, self.base, course)
        course.close()

    def run(self, name: str, *, seed: int, is_tuned: bool) -> dict[str, Figures]:
        """Train without the sources of a fold; return the figures of each of them."""
        recipe = self.recipe.model_copy(update={"seed": seed})
        sources, rows = left_out(recipe, name), self.examples.rows
        judged = [n for n, row in enumerate(rows) if row.source.startswith(sources)]
        learned = self.examples.among(sorted(set(range(len(rows))) - set(judged)))
        course = self._course(f"{name}-{seed}", recipe)
        heads = learn_heads(learned, self.features, recipe, course)
        windows, owners = self.examples.of(judged)
        if is_tuned:
            branch = tune(learned, self.base, recipe, course)
            ensemble = Ensemble(load_minilm(self.base), branch, heads)
            logits = self._served(ensemble, windows)
        else:
            logits = self._of_heads(heads, windows)
        course.close()
        found = worst(torch.tensor(logits), owners, len(judged))
        scores = found.double().sigmoid().tolist()
        return figures_of([rows[n] for n in judged], scores, recipe.false_alarms)

    @torch.inference_mode()
    def _of_heads(self, heads: Heads, windows: Sequence[int]) -> list[float]:
        logits = [
            heads(self.features[list(windows[start : start + 1000])].float()).mean(0)
            for start in range(0, len(windows), 1000)
        ]
        return torch.cat(logits).tolist()

    def _served(self, ensemble: Ensemble, windows: Sequence[int]) -> list[float]:
        """Return the logits of windows, read in 8 bits as they are served."""
        in_8_bits(ensemble.encoder)
        in_8_bits(ensemble.branch.layers)
        return [
            logit_of(ensemble.eval()(self.examples.windows[n]), self.recipe.tuned)
            for n in windows
        ]

    def _course(self, name: str, recipe: ClassifierRecipe) -> Course:
        out = self.out / name
        return Course(recipe, out, emit=lambda event: _say(record(event)))


def figures_of(
    rows: Sequence[Row], scores: Sequence[float], rate: float
) -> dict[str, Figures]:
    """Return the figures of each source.

    The threshold is chosen like that of the release, from the harmless rows of
    publishers without attacks; AUC and recall are against these rows, too.
    """
    attacked = {row.publisher for row in rows if row.label}
    general = [
        (row, score)
        for row, score in zip(rows, scores, strict=True)
        if row.publisher not in attacked
    ]
    benign = [score for _, score in general]
    threshold = even_threshold([row for row, _ in general], benign, rate)
    groups: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row, score in zip(rows, scores, strict=True):
        groups[row.source].append((row.label, score))
    by_source = {}
    for source, pairs in groups.items():
        attacks = [score for label, score in pairs if label]
        harmless = [score for label, score in pairs if not label]
        figures: Figures = {"attacks": len(attacks), "harmless": len(harmless)}
        if attacks:
            both, labels = attacks + benign, [1] * len(attacks) + [0] * len(benign)
            figures |= {
                "recall": sum(score >= threshold for score in attacks) / len(attacks),
                "auc": auc(both, labels),
                "recall_at_1pct_fpr": recall_at(both, labels),
            }
        if harmless:
            alarms = sum(score >= threshold for score in harmless)
            figures["false_alarms"] = alarms / len(harmless)
        by_source[source] = figures
    return by_source


def main(arguments: list[str] | None = None) -> int:
    """Run the folds, one after the other."""
    parser = argparse.ArgumentParser(prog="leave_out", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--fold", action="append", help="only these; default: all")
    parser.add_argument("--seeds", type=int, default=5, help="how often; default: 5")
    parser.add_argument("--tuned", type=int, default=0, help="how many tune, too")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recipe = load_recipe(chosen.recipe)
    if not isinstance(recipe, ClassifierRecipe) or recipe.task != "gate":
        parser.error("Only the recipe of a gate has folds.")
    path = chosen.out / FOLDS
    folds = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    left = LeaveOut(recipe, chosen.out)
    for name in chosen.fold or recipe.folds:
        for seed in range(1, chosen.seeds + 1):
            for is_tuned in (False, True)[: 1 + (seed <= chosen.tuned)]:
                kind = "tuned" if is_tuned else "heads"
                if str(seed) in folds.get(name, {}).get(kind, {}):
                    continue
                found = left.run(name, seed=seed, is_tuned=is_tuned)
                folds.setdefault(name, {}).setdefault(kind, {})[str(seed)] = found
                write_json(path, folds)
    sys.stdout.write(json.dumps(folds, indent=2) + "\n")
    return 0


def _say(event: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(event) + "\n")


if __name__ == "__main__":
    sys.exit(main())
