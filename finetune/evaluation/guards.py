"""`guard eval`: how well a released guard does on labelled rows."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from finetune.data.guards.rows import read_rows
from finetune.figures import auc, recall_at, wilson
from finetune.guards.judge import Case, Judge
from finetune.guards.released import load_judge
from finetune.settings import Settings
from finetune.weights.files import new_file, write_json

NEEDED = {"gate": ("text",), "leak": ("reply", "secret")}
_WARM_UP = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `guard eval`."""
    parser.add_argument("action", choices=["eval"], help="score labelled texts")
    parser.add_argument("--model", required=True, choices=sorted(NEEDED))
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        help='JSONL: {"text", "label"[, "source"]}; for leak {"reply", "secret",'
        ' "label"[, "question"][, "source"]}',
    )
    parser.add_argument("--json", type=new_file, help="write the answer there, too")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Judge every row; print the figures.

    Raises RecipeError, ReleaseError or ModelMissing.
    """
    torch.set_num_threads(1)  # as it is served
    rows = list(read_rows(chosen.data, NEEDED[chosen.model]))
    judge = load_judge(chosen.model, cache=settings.instance / "models")
    answer = evaluate(judge, rows)
    if chosen.json is not None:
        write_json(chosen.json, answer)
    shown = {name: value for name, value in answer.items() if name != "scores"}
    sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    return 0


def evaluate(judge: Judge, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return scores in row order, the threshold, and figures of all and each source.

    Times are of one message at a time, in milliseconds. A figure is None where the
    rows have only one label.
    """
    scores, times = _judged(judge, [_case(row) for row in rows])
    labels = [int(row["label"]) for row in rows]
    sources = [str(row.get("source", "all")) for row in rows]
    return {
        "scores": scores,
        "threshold": judge.threshold,
        "version": judge.version,
        "rows": len(rows),
        **_figures(scores, labels, judge.threshold),
        "by_source": {
            source: _of_source(source, sources, scores, labels, judge.threshold)
            for source in sorted(set(sources))
        },
        "ms_p50": float(np.percentile(times, 50)) if times else None,
        "ms_p95": float(np.percentile(times, 95)) if times else None,
    }


def _judged(judge: Judge, cases: Sequence[Case]) -> tuple[list[float], list[float]]:
    """Return the score of each case, and the milliseconds that it took."""
    for case in cases[:_WARM_UP]:
        judge.judge(case)
    scores, times = [], []
    for case in cases:
        started = time.perf_counter()
        judgement = judge.judge(case)
        times.append(1000 * (time.perf_counter() - started))
        scores.append(judgement.score)
    return scores, times


def _case(row: dict[str, Any]) -> Case:
    if "reply" in row:
        return Case(
            row["reply"], secret=row["secret"], question=str(row.get("question", ""))
        )
    return Case(row["text"])


def _of_source(
    source: str,
    sources: Sequence[str],
    scores: Sequence[float],
    labels: Sequence[int],
    threshold: float,
) -> dict[str, Any]:
    picked = [number for number, name in enumerate(sources) if name == source]
    return {"rows": len(picked)} | _figures(
        [scores[n] for n in picked], [labels[n] for n in picked], threshold
    )


def _figures(
    scores: Sequence[float], labels: Sequence[int], threshold: float
) -> dict[str, Any]:
    """Return AUC, recall at 1 % false alarms on these rows, and at the threshold."""
    flagged = [score >= threshold for score in scores]
    attacks = [f for f, label in zip(flagged, labels, strict=True) if label]
    benign = [f for f, label in zip(flagged, labels, strict=True) if not label]
    return {
        "auc": auc(scores, labels),
        "recall_at_1pct_fpr": recall_at(scores, labels),
        "recall": list(wilson(sum(attacks), len(attacks))) if attacks else None,
        "false_alarms": list(wilson(sum(benign), len(benign))) if benign else None,
    }
