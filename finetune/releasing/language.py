"""What releases of language models have in common: their files and their card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finetune.guards.released import RELEASES
from finetune.training.events import EVENTS
from finetune.weights.merge import ADAPTER, CONFIG
from finetune.weights.places import find_file
from finetune.weights.releases import write_release


def read_run(made: Path) -> dict[str, Any]:
    """Return what `train` says of a complete run."""
    run: dict[str, Any] = json.loads((made / "run.json").read_text("utf-8"))
    return run


def folder_of(run: Mapping[str, Any]) -> Path:
    """Return the folder of its release; a run that goes on from one replaces that."""
    recipe = run["recipe"]
    start = (recipe["lora"] or {}).get("start")
    return RELEASES / (Path(start).name if start else recipe["name"])


def write_model(
    folder: Path, made: Path, run: Mapping[str, Any], figures: Mapping[str, Any]
) -> None:
    """Write adapter and manifest of a release."""
    place = run["recipe"]["base"]
    write_release(
        folder,
        name=folder.name,
        kind="lm",
        base_place=place,
        base=find_file(place),
        files={name: made / name for name in (ADAPTER, CONFIG)},
        recipe=run["recipe"],
        figures=figures,
        seconds=run["seconds"],
    )


def about_run(name: str, made: Path, run: Mapping[str, Any]) -> dict[str, str]:
    """Return what the slots of a card say of the run."""
    return {
        "{name}": name,
        "{minutes}": f"{run['seconds'] / 60:.0f}",
        "{tokens}": f"{_tokens_seen(made / EVENTS) / 1e6:.2f} million",
        "{loss}": f"{run['figures']['heldout_loss']:.3f}",
    }


def _tokens_seen(events: Path) -> int:
    """Return how many tokens a run has learned from, by its last step."""
    steps = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    last = [step for step in steps if step["event"] == "step"][-1]
    return int(last["tokens"])


def share(row: Mapping[str, Any]) -> str:
    """Write a figure with its interval, in per cent."""
    low, high = row["interval"]
    return f"{100 * row['share']:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def filled_card(template: Path, slots: Mapping[str, str]) -> str:
    """Return the text of a card with its slots filled."""
    text = template.read_text("utf-8")
    for slot, value in slots.items():
        text = text.replace(slot, value)
    return text


def cell(text: str) -> str:
    """Write a text so that it fits into the cell of a table."""
    return text.replace("|", "\\|").replace("\n", "<br>")
