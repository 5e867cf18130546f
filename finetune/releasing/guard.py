"""Release a trained guard: its files, its figures, and its card.

`python -m finetune.releasing.guard RUN` takes what `train` wrote to RUN,
judges our own sentences with it, adds `folds.json` of `leave_out` and `beside.json` of
`bench publishers` if they are there, and writes `finetune/adapters/NAME`. Since that
bench judges with what is released, this comes first, and once more after it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import yaml

from finetune.data.guards.leak import every_way
from finetune.data.guards.rows import read_rows
from finetune.evaluation.guards import NEEDED, evaluate
from finetune.evaluation.leave_out import FOLDS
from finetune.evaluation.publishers import tables, unmeasured
from finetune.guards.released import RELEASES, load_judge
from finetune.recipes.guard import ClassifierRecipe
from finetune.training.leak import split_words
from finetune.weights.files import write_text
from finetune.weights.places import find_folder
from finetune.weights.releases import CARD, write_release

_FILES = {
    "gate": ("adapter.safetensors", "guard.json"),
    "leak": ("adapter.safetensors", "head.safetensors", "guard.json"),
}
_OWN = Path(__file__).parents[1] / "evaluation/rows"
_LADDER = Path(__file__).parents[2] / "challenges/attacks"
_TEXTS = Path(__file__).parent / "cards"
# What `bench publishers --json` wrote.
BESIDE = "beside.json"
_OF_EACH_WAY, _SEED = 60, 7
# What a manifest keeps of an evaluation.
_KEPT = ("rows", "auc", "recall", "false_alarms", "ms_p50", "ms_p95")
_KEPT_BY_SOURCE = (*_KEPT, "by_source")


def main(arguments: list[str] | None = None) -> int:
    """Write the release; its card comes last, with the figures of what is released."""
    parser = argparse.ArgumentParser(prog="release_guard", description=__doc__)
    parser.add_argument("run", type=Path)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    run = _read_json(chosen.run / "run.json")
    name = run["recipe"]["name"]
    if name not in _FILES:
        parser.error(
            f"{chosen.run} is not a run of {' or '.join(_FILES)} but of {name}."
        )
    figures = dict(run["figures"])
    figures["thresholds"] = _read_json(chosen.run / "guard.json")["thresholds"]
    # If measuring fails, no card is better than that of another model.
    (RELEASES / name / CARD).unlink(missing_ok=True)
    # Twice: the figures of the released files belong in their manifest.
    _write(chosen.run, run, name, figures)
    figures |= _measured(name, run["recipe"])
    _write(chosen.run, run, name, figures)
    # Not for the manifest, which would be ten times as long.
    for key, file in (("left_out", FOLDS), ("beside", BESIDE)):
        if (chosen.run / file).is_file():
            figures[key] = _read_json(chosen.run / file)
    write_text(RELEASES / name / CARD, card(name, run, figures))
    sys.stdout.write(f"Released {RELEASES / name}.\n")
    return 0


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _measured(name: str, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of the release on rows that it was not trained on."""
    judge = load_judge(name)
    own = evaluate(judge, list(read_rows(_OWN / f"{name}.jsonl", NEEDED[name])))
    figures = {"own_sentences": {key: own[key] for key in _KEPT}}
    if name == "gate":
        others = {"ladder": list(ladder_rows())}
        for file in ("wide", "kinds"):
            others[file] = list(read_rows(_OWN / f"gate-{file}.jsonl"))
        for called, rows in others.items():
            answer = evaluate(judge, rows)
            figures[called] = {key: answer[key] for key in _KEPT_BY_SOURCE}
        return figures
    ways = evaluate(judge, list(way_rows(recipe)))
    return figures | {"every_way": {key: ways[key] for key in _KEPT_BY_SOURCE}}


def ladder_rows() -> Iterator[dict[str, Any]]:
    """Yield the attacks and harmless visits that calibrate the ladder.

    A conversation is one row, its messages one below the other.
    """
    for path in sorted(_LADDER.glob("*.yaml")):
        family = yaml.safe_load(path.read_text("utf-8"))
        for turns in family["conversations"]:
            messages = [turns] if isinstance(turns, str) else turns
            yield {
                "text": "\n".join(messages),
                "label": int(family.get("kind") != "benign"),
                "source": family["family"],
            }


def way_rows(recipe: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield leaks in every way, and the same replies beside other words.

    The words are those that the run of this recipe was not trained on.
    """
    _, kept = split_words(ClassifierRecipe.model_validate(recipe))
    for row in every_way(_OF_EACH_WAY, kept, seed=_SEED):
        yield asdict(row)


def _write(
    folder: Path, run: Mapping[str, Any], name: str, figures: Mapping[str, Any]
) -> None:
    place = run["recipe"]["base"]
    write_release(
        RELEASES / name,
        name=name,
        kind="guard",
        base_place=place,
        base=find_folder(place) / "model.safetensors",
        files={file: folder / file for file in _FILES[name]},
        recipe=run["recipe"],
        figures=figures,
        seconds=run["seconds"],
    )


def card(name: str, run: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """Return the card: the text of `cards/NAME.md` with the figures filled in."""
    text = (_TEXTS / f"{name}.md").read_text("utf-8")
    slots = {
        "{data}": _data(run["recipe"]),
        "{minutes}": f"{run['seconds'] / 60:.0f}",
        "{thresholds}": _thresholds(figures["thresholds"]),
        "{figures}": _figures(figures),
        "{own}": _own(figures["own_sentences"]),
        "{left_out}": _left_out(figures.get("left_out", {})),
        "{beside}": _beside(figures.get("beside")),
        "{ladder}": _by_source(figures.get("ladder", {}), "family"),
        "{wide}": _by_source(figures.get("wide", {}), "kind"),
        "{kinds}": _by_source(figures.get("kinds", {}), "kind"),
        "{every_way}": _by_source(figures.get("every_way", {}), "way"),
    }
    for slot, value in slots.items():
        text = text.replace(slot, value)
    return text


def _data(recipe: Mapping[str, Any]) -> str:
    lines = [
        f"- generated by `finetune/data/guards`: {recipe['generated']['rows']} rows,"
        f" Apache-2.0, as this project{_weight(recipe)}"
    ]
    for folder in recipe["data"]:
        for file in folder["files"]:
            limit = f"; at most {file['limit']} rows" if file["limit"] else ""
            lines.append(f"- {file['about']}: {file['licence']}{limit}")
    if recipe["held_out"]:
        kept = ", ".join(recipe["held_out"])
        lines.append(f"- not trained on, only for the threshold: {kept}")
    return "\n".join(lines)


def _weight(recipe: Mapping[str, Any]) -> str:
    if recipe["task"] != "gate":
        return ""
    return f"; {recipe['generated']['share']:.0%} of what it learns from"


def _thresholds(given: Mapping[str, float]) -> str:
    return "\n".join(
        f"| {100 * float(rate):g} % | {threshold:.4f} |"
        for rate, threshold in given.items()
    )


def _figures(figures: Mapping[str, Any]) -> str:
    return "\n".join(
        f"| {name.replace('_', ' ')} | {value:.3f} |"
        for name, value in figures.items()
        if isinstance(value, float)
    )


def _own(answer: Mapping[str, Any]) -> str:
    return (
        f"{answer['rows']} rows: AUC {answer['auc']:.3f},"
        f" caught {_share(answer['recall'])},"
        f" false alarms {_share(answer['false_alarms'])};"
        f" {answer['ms_p50']:.1f} ms a message (median), {answer['ms_p95']:.1f} ms"
        " (19 of 20 are quicker)."
    )


def _by_source(answer: Mapping[str, Any], called: str) -> str:
    if not answer:
        return ""
    rows = [("all", answer), *answer["by_source"].items()]
    lines = [f"AUC {answer['auc']:.3f} over {answer['rows']} rows."]
    lines += ["", f"| {called} | rows | caught | false alarms |", "|---|---|---|---|"]
    for source, figures in rows:
        caught = _share(figures["recall"]) if figures["recall"] else ""
        alarms = _share(figures["false_alarms"]) if figures["false_alarms"] else ""
        lines.append(f"| {source} | {figures['rows']} | {caught} | {alarms} |")
    return "\n".join(lines)


def _left_out(folds: Mapping[str, Any]) -> str:
    """Return a line for each source of each fold: heads alone, and with tuning."""
    lines = []
    for fold, kinds in folds.items():
        heads, tuned = (list(kinds.get(k, {}).values()) for k in ("heads", "tuned"))
        for source, first in heads[0].items():
            own = [[seed[source] for seed in seeds] for seeds in (heads, tuned)]
            cells = [
                fold,
                source,
                str(first["attacks"] or ""),
                str(first["harmless"] or ""),
            ]
            for seeds in own:
                cells += [
                    _over(seeds, "auc", "{:.3f}"),
                    _over(seeds, "recall_at_1pct_fpr", "{:.1%}"),
                    _over(seeds, "false_alarms", "{:.1%}"),
                ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) or f"| not measured for this release {'| ' * 10}|"


def _beside(answer: Mapping[str, Any] | None) -> str:
    """Return the tables of `bench publishers`."""
    if answer is None:
        return "Not measured for this release."
    parts = []
    for title, head, lines in tables(answer):
        rule = ["---"] * len(head)
        rows = "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))
        parts.append(f"{title}:\n\n{rows}")
    return "\n\n".join(parts + unmeasured(answer))


def _over(seeds: Sequence[Mapping[str, Any]], name: str, form: str) -> str:
    """Return the mean of a figure over seeds, and the least and the most."""
    values = [seed[name] for seed in seeds if seed.get(name) is not None]
    if not values:
        return ""
    told = form.format(mean(values))
    if len(values) == 1:
        return told
    return f"{told} ({form.format(min(values))}–{form.format(max(values))})"


def _share(interval: list[float]) -> str:
    share, low, high = (100 * max(value, 0.0) for value in interval)
    return f"{share:.1f} % ({low:.1f}–{high:.1f})"


if __name__ == "__main__":
    sys.exit(main())
