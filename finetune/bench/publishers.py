"""`bench publishers`: who finds the attacks of publishers that the gate did not learn?

The gate's figures are those of `leave_out`: for each fold of its recipe it was trained
without the publisher. The gates that are released, and public detectors, judge the same
rows; of those nobody knows what they learned, and released gates have learned from most
of the rows, so their lines flatter them. Every line is measured as the gate's: against
the harmless rows of publishers without attacks, at a threshold for 1 % of them.

Detectors that have answered already are not asked again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from finetune.bench.detectors import JudgeDetector, Scorer
from finetune.bench.peers import (
    PEERS,
    Peer,
    PeerError,
    ask_checkout,
    ask_peer,
    released_in,
)
from finetune.bench.table import table
from finetune.data.guards.rows import Row
from finetune.evaluation.leave_out import FOLDS, all_rows, figures_of, left_out
from finetune.evaluation.publishers import WITHOUT, means, tables, unmeasured
from finetune.guards.released import load_judge
from finetune.recipes.common import RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.recipes.reading import load_recipe
from finetune.settings import Settings
from finetune.weights.files import new_file, write_json
from finetune.weights.places import find_folder

_RECIPE = Path(__file__).parents[1] / "recipes/gate.yaml"
Scores = Callable[[], list[float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `bench publishers`."""
    parser.add_argument("folder", type=Path, help="what leave_out was told as --out")
    parser.add_argument("--recipe", type=Path, default=_RECIPE)
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="FOLDER",
        help="ask the gate of this checkout of the project, too",
    )
    parser.add_argument(
        "--json", type=new_file, required=True, help="write the figures there"
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Judge the rows with each detector and print the tables.

    Raises RecipeError, ReleaseError or ModelMissing.
    """
    recipe = load_recipe(chosen.recipe)
    if not isinstance(recipe, ClassifierRecipe) or recipe.task != "gate":
        raise RecipeError(f"{chosen.recipe} is not the recipe of a gate.")
    folds = _folds(chosen.folder / FOLDS)
    rows = [row for row in all_rows(recipe, _tell) if _is_judged(recipe, row, folds)]
    answer: dict[str, Any] = {"rows": len(rows), "detectors": {}}
    if chosen.json.is_file():
        answer = json.loads(chosen.json.read_text("utf-8"))
        if answer["rows"] != len(rows):
            raise RecipeError(f"{chosen.json} is of other rows; remove it.")
    answer["detectors"][WITHOUT] = means(folds)
    for name, scores in _detectors(rows, recipe, settings, chosen.beside).items():
        if "problem" not in answer["detectors"].get(name, {"problem": "not asked"}):
            continue
        _say(name)
        try:
            answer["detectors"][name] = _by_fold(recipe, rows, scores(), folds)
        except PeerError as error:
            answer["detectors"][name] = {"problem": str(error)}
        write_json(chosen.json, answer)
    write_json(chosen.json, answer)
    sys.stdout.write(report(answer))
    return 0


def _folds(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"{path} cannot be read. `python -m finetune.evaluation.leave_out` writes"
            " it; name the folder that it was told as --out."
        ) from error
    return found


def _is_judged(recipe: ClassifierRecipe, row: Row, folds: Mapping[str, Any]) -> bool:
    return any(row.source.startswith(left_out(recipe, fold)) for fold in folds)


def _detectors(
    rows: Sequence[Row],
    recipe: ClassifierRecipe,
    settings: Settings,
    beside: Path | None,
) -> dict[str, Scores]:
    """Return what scores all rows, by name."""
    texts = [row.text for row in rows]
    folder = settings.instance / "bench"
    find_folder(recipe.base)  # not found out after an hour
    gate = load_judge("gate", cache=settings.instance / "models")
    found: dict[str, Scores] = {
        f"released gate {gate.version}": lambda: _scores(JudgeDetector(gate), texts)
    }
    if beside is not None:
        version = released_in(beside).version
        found[f"gate {version} of {beside.name}"] = lambda: (
            ask_checkout(beside, texts).scores
        )
    for peer in PEERS:
        found[peer.name] = partial(_ask_peer, peer, texts, folder, recipe.base)
    return found


def _scores(detector: Scorer, texts: Sequence[str]) -> list[float]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as guards are served
    try:
        return detector.scores(texts)
    finally:
        torch.set_num_threads(threads)


def _ask_peer(peer: Peer, texts: Sequence[str], folder: Path, base: str) -> list[float]:
    return ask_peer(peer, texts, folder=folder, base=base).scores


def _by_fold(
    recipe: ClassifierRecipe,
    rows: Sequence[Row],
    scores: Sequence[float],
    folds: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    found = {}
    for fold in folds:
        picked = [
            (row, score)
            for row, score in zip(rows, scores, strict=True)
            if row.source.startswith(left_out(recipe, fold))
        ]
        some, theirs = [row for row, _ in picked], [score for _, score in picked]
        found[fold] = figures_of(some, theirs, recipe.false_alarms)
    return found


def report(answer: Mapping[str, Any]) -> str:
    """Return the tables: AUC, what is caught, and false alarms, by source."""
    shown = [f"{title}:\n{table(head, lines)}" for title, head, lines in tables(answer)]
    shown += unmeasured(answer)
    return "\n".join(shown)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _tell(event: dict[str, Any]) -> None:
    _say(json.dumps(event))
