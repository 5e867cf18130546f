"""Release a trained warden: its adapter, its figures, and its card.

`python -m finetune.releasing.warden RUN` takes what `train` wrote to RUN,
merges it as the sidecar would, measures what is served, lays its replies to ordinary
requests beside the base model's, and writes `finetune/adapters/NAME`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from finetune.data.warden.pieces import Pieces, read_pieces
from finetune.data.warden.prompts import write_system
from finetune.evaluation.warden import Warden, count_hits, vocabulary, write_probes
from finetune.guards.released import RELEASES
from finetune.settings import Settings, load_settings
from finetune.training.events import EVENTS
from finetune.weights.merge import ADAPTER, CONFIG, merged_model
from finetune.weights.places import find_file
from finetune.weights.releases import CARD, write_release

_TEXT = Path(__file__).parent / "cards/warden.md"
_SIDE_BY_SIDE = 60


class Pair(NamedTuple):
    """An ordinary request and what both models say under the same strict prompt."""

    ask: str
    base: str
    warden: str


def main(arguments: list[str] | None = None) -> int:
    """Write the release; its card comes last, with the figures of what is released."""
    parser = argparse.ArgumentParser(prog="release_warden", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=200, help="requests per figure")
    chosen = parser.parse_args(arguments)
    settings = load_settings(os.environ)
    run = json.loads((chosen.run / "run.json").read_text("utf-8"))
    recipe = run["recipe"]
    # What goes on from a release takes its place.
    start = (recipe["lora"] or {}).get("start")
    folder = RELEASES / (Path(start).name if start else recipe["name"])
    seen = _tokens_seen(chosen.run / EVENTS)
    # No card is better than that of another model, should the measuring fail.
    (folder / CARD).unlink(missing_ok=True)
    # Twice: the figures of the released files belong into their manifest.
    _write(folder, chosen.run, run, run["figures"])
    pieces = read_pieces(Path(recipe["data"]["words"]), vocabulary(settings))
    with closing(
        _served(merged_model(folder, settings.instance / "models"), settings)
    ) as warden:
        figures = run["figures"] | _figures(warden, pieces, chosen.count)
        pairs = _side_by_side(warden, pieces, settings)
    _write(folder, chosen.run, run, figures)
    (folder / CARD).write_text(card(folder.name, run, figures, pairs, seen), "utf-8")
    sys.stdout.write(f"Released {folder}.\n")
    return 0


def _served(path: Path, settings: Settings) -> Warden:
    return Warden(path, copies=settings.engine_copies, threads=settings.engine_threads)


def _figures(warden: Warden, pieces: Pieces, count: int) -> dict[str, Any]:
    asked = warden.replies(write_probes(pieces, count, seed=7))
    hits = count_hits((probe, probe.is_hit(reply)) for probe, reply in asked)
    return {name: figure.as_row() for name, figure in hits.items()}


def _side_by_side(warden: Warden, pieces: Pieces, settings: Settings) -> list[Pair]:
    rng = random.Random(11)
    path = find_file(settings.chat_places()["smollm2"])
    pairs = []
    with closing(_served(path, settings)) as base:
        for ask in rng.sample(pieces.heldout_asks, _SIDE_BY_SIDE):
            word = rng.choice(pieces.words)
            system = write_system(word, "never", rng, is_heldout=True)
            replies = (model.reply(system.text, ask) for model in (base, warden))
            pairs.append(Pair(ask, *replies))
    return pairs


def _write(
    folder: Path, made: Path, run: Mapping[str, Any], figures: Mapping[str, Any]
) -> None:
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


def _tokens_seen(events: Path) -> int:
    """Return how many tokens a run has learned from, by its last step."""
    steps = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    last = [step for step in steps if step["event"] == "step"][-1]
    return int(last["tokens"])


def card(
    name: str,
    run: Mapping[str, Any],
    figures: Mapping[str, Any],
    pairs: Sequence[Pair],
    tokens: int,
) -> str:
    """Return the card: the text of `cards/warden.md` with the figures filled in."""
    rows = []
    for figure, value in figures.items():
        if isinstance(value, Mapping):
            low, high = value["interval"]
            share = f"{100 * value['share']:.1f} % ({100 * low:.1f}–{100 * high:.1f})"
            rows.append(f"| {figure} | {share} | {value['count']} |")
    slots = {
        "{name}": name,
        "{minutes}": f"{run['seconds'] / 60:.0f}",
        "{tokens}": f"{tokens / 1e6:.2f} million",
        "{loss}": f"{run['figures']['heldout_loss']:.3f}",
        "{figures}": "\n".join(rows),
        "{pairs}": "\n".join(
            f"| {_cell(p.ask)} | {_cell(p.base)} | {_cell(p.warden)} |" for p in pairs
        ),
    }
    text = _TEXT.read_text("utf-8")
    for slot, value in slots.items():
        text = text.replace(slot, value)
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


if __name__ == "__main__":
    sys.exit(main())
