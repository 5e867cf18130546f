"""Tables of detectors on publishers that the gate was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

from finetune.figures import wilson

WITHOUT = "our gate, without the publisher"
Figures = dict[str, Any]


def means(folds: Mapping[str, Any]) -> dict[str, dict[str, Figures]]:
    """Return the means over the seeds: of those that were tuned, if there are any."""
    found: dict[str, dict[str, Figures]] = {}
    for fold, kinds in folds.items():
        seeds = list((kinds.get("tuned") or kinds["heads"]).values())
        found[fold] = {
            source: {
                name: mean(seed[source][name] for seed in seeds)
                for name in seeds[0][source]
            }
            for source in seeds[0]
        }
    return found


def tables(answer: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return title, head and lines of each table; a detector is a column.

    The last line of a table about attacks is the mean of its lines.
    """
    measured = {
        name: found
        for name, found in answer["detectors"].items()
        if "problem" not in found
    }
    first = measured[WITHOUT]
    attacks = [
        (fold, source)
        for fold, sources in first.items()
        for source, figures in sources.items()
        if figures["attacks"] and not source.startswith("kinds/")
    ]
    shown = []
    for title, name, form in (
        ("AUC", "auc", "{:.3f}"),
        ("Caught at 1 %", "recall_at_1pct_fpr", "{:.1%}"),
    ):
        columns = [
            [found[fold][source][name] for fold, source in attacks]
            for found in measured.values()
        ]
        lines = [
            [fold, source, *(form.format(column[at]) for column in columns)]
            for at, (fold, source) in enumerate(attacks)
        ]
        lines.append(
            ["all", "mean of the lines", *(form.format(mean(c)) for c in columns)]
        )
        shown.append((title, ["left out", "source", *measured], lines))
    harmless = {
        source: round(figures["harmless"])
        for sources in first.values()
        for source, figures in sources.items()
        if figures["harmless"]
    }
    lines = [
        [source, str(count), *(_alarms(found, source) for found in measured.values())]
        for source, count in harmless.items()
    ]
    head = ["source", "rows", *measured]
    shown.append(("Flagged at 1 % of all harmless rows, at worst", head, lines))
    return shown


def unmeasured(answer: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each detector that could not be asked."""
    return [
        f"{name} was not measured: {found['problem']}."
        for name, found in answer["detectors"].items()
        if "problem" in found
    ]


def _alarms(found: Mapping[str, Any], source: str) -> str:
    """Return the largest share of harmless rows flagged in a fold, with interval."""
    figures = max(
        (sources[source] for sources in found.values() if source in sources),
        key=lambda one: float(one["false_alarms"]),
    )
    count = round(figures["harmless"])
    share, low, high = wilson(round(figures["false_alarms"] * count), count)
    return f"{share:.1%} ({low:.1%}–{high:.1%})"
