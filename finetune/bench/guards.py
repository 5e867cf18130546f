"""`bench guards`: our gate beside baselines and public detectors, on the same rows.

Recall and over-defence are at the threshold that flags 1 % of the benign rows, found
for each detector on these rows; false alarms are at the threshold that it comes with.
Times are medians for one message on one thread, beside those of the bare sentence
model in the same run. Of our gate it also says what 19 of 20 messages of 64 tokens are
quicker than, in turns with the bare model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from finetune.bench.detectors import (
    BareMiniLM,
    JudgeDetector,
    MiniLMRegression,
    Readings,
    Scorer,
    TfidfRegression,
    UsualMiniLM,
    long_messages,
    read,
    slow_times,
)
from finetune.bench.guard_rows import BenchRows, bench_rows, has_trigger, picked
from finetune.bench.peers import PEERS, PeerError, ask_peer
from finetune.bench.table import table
from finetune.data.guards.rows import Row
from finetune.figures import auc, recall_at, threshold_at, wilson
from finetune.guards.released import RELEASES, load_judge
from finetune.recipes.common import RecipeError
from finetune.serving.engine.embedder import Embedder
from finetune.settings import Settings
from finetune.weights.files import new_file, write_json
from finetune.weights.places import find_folder
from finetune.weights.releases import read_release

_GATE = "gate"
_RATE = 0.01
# Messages for the time of a long one, and their tokens.
_LONG, _LONG_TOKENS = 400, 64
_HEAD = (
    *("detector", "AUC", "recall at 1 %", "over-defence", "false alarms"),
    *("ms", "ms of 32", "× bare", "× bare of 32"),
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A row of the table: what a detector said, or why it said nothing.

    An entry that is only timed judges nothing. `ms_long` is what 19 of 20 messages of
    64 tokens are quicker than, where that was measured.
    """

    name: str
    readings: Readings | None
    problem: str = ""
    is_timed_only: bool = False
    ms_long: float | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `bench guards`."""
    parser.add_argument("--json", type=new_file, help="write the figures there, too")
    parser.add_argument(
        "--rows", type=int, default=300, help="most rows of each source and kind"
    )
    parser.add_argument(
        "--dev", type=Path, help="judge the rows of this JSONL file instead of ours"
    )
    parser.add_argument(
        "--train", type=Path, help="the baselines learn from this JSONL file instead"
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Measure every detector and print a table.

    Raises RecipeError, ReleaseError or ModelMissing.
    """
    if chosen.rows < 1:
        raise RecipeError("--rows must be at least 1.")
    rows = bench_rows(
        RELEASES / _GATE, _tell, most=chosen.rows, dev=chosen.dev, train=chosen.train
    )
    if not rows.judged:
        raise RecipeError("There are no rows to judge: the gate has seen all of them.")
    sys.stdout.write(_about(rows))
    sys.stdout.flush()
    entries = list(_measure(rows, settings))
    sys.stdout.write(_report(rows, entries))
    if chosen.json is not None:
        write_json(chosen.json, _answer(rows, entries))
    return 0


def _measure(rows: BenchRows, settings: Settings) -> Iterator[Measurement]:
    texts = [row.text for row in rows.judged]
    base = read_release(RELEASES / _GATE).base_place
    yield from _measure_ours(rows, texts, base, settings.instance / "models")
    for peer in PEERS:
        _say(peer.name)
        folder = settings.instance / "bench"
        try:
            yield Measurement(
                peer.name, ask_peer(peer, texts, folder=folder, base=base)
            )
        except PeerError as error:
            yield Measurement(peer.name, None, str(error))


def _measure_ours(
    rows: BenchRows, texts: Sequence[str], base: str, cache: Path
) -> Iterator[Measurement]:
    """Measure what runs in this process: the sentence model, the gate, baselines."""
    bare = BareMiniLM(find_folder(base))
    _say(f"Training the baselines on {len(rows.train)} rows")
    regressions: list[tuple[str, Scorer]] = [
        ("MiniLM + logistic regression", MiniLMRegression(bare, rows.train)),
        ("TF-IDF + logistic regression", TfidfRegression(rows.train)),
    ]
    gate = load_judge(_GATE, cache=cache)
    ours = f"gate {gate.version} (ours)"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as guards are served
    try:
        both = (bare, JudgeDetector(gate))
        read_bare = _read("bare MiniLM", bare, texts, is_timed_only=True)
        read_ours = _read(ours, both[1], texts)
        for entry, ms in zip(
            (read_bare, read_ours), _long_times(both, texts), strict=True
        ):
            yield replace(entry, ms_long=ms)
        for name, regression in regressions:
            yield _read(name, regression, texts)
        usual = UsualMiniLM(Embedder.load(base))
        yield _read("MiniLM in sentence-transformers", usual, texts, is_timed_only=True)
    finally:
        torch.set_num_threads(threads)


def _long_times(
    detectors: tuple[BareMiniLM, JudgeDetector], texts: Sequence[str]
) -> list[float | None]:
    long = long_messages(detectors[0].tokenizer, texts, tokens=_LONG_TOKENS, most=_LONG)
    return [*slow_times(detectors, long)] if long else [None, None]


def _read(
    name: str, detector: Scorer, texts: Sequence[str], *, is_timed_only: bool = False
) -> Measurement:
    _say(name)
    return Measurement(name, read(detector, texts), is_timed_only=is_timed_only)


def figures(rows: Sequence[Row], readings: Readings) -> dict[str, Any]:
    """Return how well a detector did on some rows; None where there are none for it."""
    labels = [row.label for row in rows]
    scores = readings.scores
    benign = [number for number, row in enumerate(rows) if not row.label]
    triggered = [number for number in benign if has_trigger(rows[number].text)]
    threshold = threshold_at([scores[n] for n in benign], _RATE)
    return {
        "rows": len(rows),
        "auc": auc(scores, labels),
        "recall_at_1pct_fpr": recall_at(scores, labels, _RATE),
        "over_defence": _share(scores[n] >= threshold for n in triggered),
        "false_alarms": _share(readings.flagged[n] for n in benign),
        "recall": _share(
            flagged
            for flagged, label in zip(readings.flagged, labels, strict=True)
            if label
        ),
    }


def of_rows(readings: Readings, numbers: Sequence[int]) -> Readings:
    """Return what was said about some of the rows; times are those of all."""
    return Readings(
        [readings.scores[number] for number in numbers],
        [readings.flagged[number] for number in numbers],
        readings.ms_1,
        readings.ms_32,
    )


def comparison(rows: Sequence[Row], entries: Sequence[Measurement]) -> str:
    """Return the table; the first entry is what times are compared with."""
    bare = entries[0].readings
    lines = []
    for entry in entries:
        if entry.readings is None:
            lines.append([entry.name, f"not measured: {entry.problem}"])
            continue
        shown = figures(rows, entry.readings)
        judged = [
            _number(shown["auc"]),
            _percent(shown["recall_at_1pct_fpr"]),
            *(_percent(_first(shown[n])) for n in ("over_defence", "false_alarms")),
        ]
        lines.append(
            [
                entry.name,
                *([""] * len(judged) if entry.is_timed_only else judged),
                *_times(entry.readings, bare),
            ]
        )
    return table(_HEAD, lines)


def _times(readings: Readings, bare: Readings | None) -> list[str]:
    times = [readings.ms_1, readings.ms_32]
    cells = [f"{ms:.2f}" for ms in times]
    if bare is None:
        return [*cells, "", ""]
    return [
        *cells,
        f"{readings.ms_1 / bare.ms_1:.2f}",
        f"{readings.ms_32 / bare.ms_32:.2f}",
    ]


def _about(rows: BenchRows) -> str:
    head = ("source", "attacks", "benign", "trained on")
    lines = [
        [
            source,
            *(str(counts.get(kind, 0)) for kind in ("attacks", "benign")),
            _use(source, rows),
        ]
        for source, counts in rows.counts().items()
    ]
    triggered = sum(not row.label and has_trigger(row.text) for row in rows.judged)
    return (
        f"{table(head, lines)}"
        f"{len(rows.judged)} rows, {triggered} of them benign with trigger words;"
        f" {rows.left_out} rows were left out because they were trained on.\n\n"
    )


def _use(source: str, rows: BenchRows) -> str:
    if source not in rows.strange:
        return "other rows"
    return "no, set our threshold" if source in rows.tuning else "no"


def _report(rows: BenchRows, entries: Sequence[Measurement]) -> str:
    report = f"All rows:\n{comparison(rows.judged, entries)}"
    numbers = picked(rows.judged, rows.strange)
    if 0 < len(numbers) < len(rows.judged):
        some = [
            Measurement(
                entry.name,
                entry.readings and of_rows(entry.readings, numbers),
                entry.problem,
                entry.is_timed_only,
            )
            for entry in entries
        ]
        shown = comparison([rows.judged[number] for number in numbers], some)
        report += f"\nOnly sources of which nothing was trained on:\n{shown}"
    return report + _long_line(entries)


def _long_line(entries: Sequence[Measurement]) -> str:
    timed = [(entry.name, entry.ms_long) for entry in entries if entry.ms_long]
    if not timed:
        return ""
    bare = timed[0][1]
    shown = ", ".join(f"{name} {ms:.2f} ms ({ms / bare:.2f})" for name, ms in timed)
    return (
        f"\nOf messages of {_LONG_TOKENS} tokens 19 of 20 are quicker than (times the"
        f" first): {shown}.\n"
    )


def _answer(rows: BenchRows, entries: Sequence[Measurement]) -> dict[str, Any]:
    return {
        "sources": rows.counts(),
        "new_sources": sorted(rows.strange),
        "train_rows": len(rows.train),
        "left_out": rows.left_out,
        "detectors": [_detector(rows, entry) for entry in entries],
    }


def _detector(rows: BenchRows, entry: Measurement) -> dict[str, Any]:
    readings = entry.readings
    if readings is None:
        return {"name": entry.name, "problem": entry.problem}
    times: dict[str, float] = {"ms_1": readings.ms_1, "ms_32": readings.ms_32}
    if entry.ms_long is not None:
        times["ms_p95_64_tokens"] = entry.ms_long
    if entry.is_timed_only:
        return {"name": entry.name, **times}
    sources = {source: frozenset([source]) for source in rows.counts()}
    by_source = {}
    for name, group in {**sources, "new sources": rows.strange}.items():
        numbers = picked(rows.judged, group)
        some = [rows.judged[number] for number in numbers]
        by_source[name] = figures(some, of_rows(readings, numbers))
    return {
        "name": entry.name,
        **figures(rows.judged, readings),
        **times,
        "by_source": by_source,
    }


def _share(hits: Iterable[bool]) -> list[float] | None:
    """Return a share and its interval."""
    outcomes = list(hits)
    return list(wilson(sum(outcomes), len(outcomes))) if outcomes else None


def _first(interval: list[float] | None) -> float | None:
    return interval[0] if interval else None


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _tell(event: dict[str, Any]) -> None:
    _say(f"not here: {event.get('file')}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
