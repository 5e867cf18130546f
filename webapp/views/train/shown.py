"""What the templates of training draw: bars, rows of tables, ways to say things."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain.train import words
from webapp.domain.train.choices import Choices, plain
from webapp.domain.train.runs import RunView
from webapp.llm.training_shapes import Curves, Lengths

# The picture of a histogram, in its own units.
WIDTH, HEIGHT = 480, 120
STATES: Final[Mapping[str, str]] = {
    "sending": "On its way",
    "validating_files": "Looking at the data",
    "queued": "Waiting its turn",
    "running": "Training",
    "paused": "Paused",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Stopped",
}
METHODS: Final[Mapping[str, str]] = {
    "lora": "A small adapter",
    "full": "The whole model",
    "top": "The upper blocks",
    "fresh": "From nothing",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram: where it stands, and what it counts."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: what it is called, and a value for each run."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs differ in it."""
        return len(set(self.values)) > 1


def bars(lengths: Lengths) -> tuple[Bar, ...]:
    """Return the bars of a histogram of lengths."""
    counts, edges = lengths.counts, lengths.edges
    if not counts or len(edges) != len(counts) + 1:
        return ()
    most, step = max(counts) or 1, WIDTH / len(counts)
    return tuple(
        Bar(
            x=round(n * step + 1, 1),
            y=round(HEIGHT - HEIGHT * count / most, 1),
            width=round(step - 2, 1),
            height=round(HEIGHT * count / most, 1),
            label=f"{edges[n]:,.0f} to {edges[n + 1]:,.0f} tokens",
            count=count,
        )
        for n, count in enumerate(counts)
    )


def settings_lines(runs: Sequence[RunView]) -> tuple[Line, ...]:
    """Return what was chosen for runs, line by line."""
    chosen = [run.choices for run in runs]
    return (
        Line("Data", tuple(str(run.data_settings.get("name", "")) for run in runs)),
        _line("Begun with", runs, lambda run: run.base),
        Line(
            "What was trained", tuple(METHODS.get(c.method, c.method) for c in chosen)
        ),
        Line("Learning rate", tuple(plain(c.learning_rate) for c in chosen)),
        Line("How long", tuple(map(how_long, chosen))),
        Line("Tokens in a row", tuple(str(c.block) for c in chosen)),
        Line("Rows at a time", tuple(str(c.rows) for c in chosen)),
        Line(
            "Rank of the adapter",
            tuple(str(c.rank) if c.method == "lora" else "–" for c in chosen),
        ),
        Line("Warm-up", tuple(f"{100 * c.warmup:.0f} %" for c in chosen)),
        Line("Weight decay", tuple(plain(c.weight_decay) for c in chosen)),
        Line("Seed", tuple(str(c.seed) for c in chosen)),
    )


def result_lines(runs: Sequence[RunView]) -> tuple[Line, ...]:
    """Return what came of runs, line by line."""
    return (
        Line("State", tuple(STATES.get(r.status, r.status) for r in runs)),
        Line(
            "Perplexity before",
            tuple(_figure(r, "base_heldout_perplexity") for r in runs),
        ),
        Line("Perplexity after", tuple(_figure(r, "heldout_perplexity") for r in runs)),
        Line(
            "Bits per byte before",
            tuple(_figure(r, "base_heldout_bits_per_byte") for r in runs),
        ),
        Line(
            "Bits per byte after",
            tuple(_figure(r, "heldout_bits_per_byte") for r in runs),
        ),
        Line("Time", tuple(_time(r) for r in runs)),
    )


def how_long(choices: Choices) -> str:
    """Return what ends a run, in words."""
    match choices.length:
        case "minutes":
            return f"about {plain(choices.minutes)} minutes"
        case "epochs":
            return f"{plain(choices.epochs)} epochs"
        case _:
            return f"{choices.updates:,} updates"


def chart_data(runs: Iterable[tuple[RunView, Curves]]) -> dict[str, Any]:
    """Return curves as the script of the chart reads them."""
    return {
        "runs": [
            {
                "id": run.id,
                "title": run.title,
                "train": [list(point) for point in curves.train],
                "heldout": [list(point) for point in curves.heldout],
                "rate": [list(point) for point in curves.rate],
            }
            for run, curves in runs
        ]
    }


def chart_json(data: Mapping[str, Any]) -> str:
    """Return chart data for an attribute."""
    return json.dumps(data, separators=(",", ":"))


def figure(run: RunView, name: str) -> float | None:
    """Return a figure of a run, where it has one."""
    value = run.figures.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value is not None else None


def _figure(run: RunView, name: str) -> str:
    value = figure(run, name)
    return "–" if value is None else f"{value:,.2f}"


def _time(run: RunView) -> str:
    seconds = figure(run, "seconds")
    return "–" if seconds is None else words.duration(seconds)


def _line(name: str, runs: Sequence[RunView], of: Any) -> Line:
    return Line(name, tuple(str(of(run)) for run in runs))
