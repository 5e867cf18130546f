"""Release a trained warden: its adapter, its figures, and its card.

`python -m finetune.releasing.warden RUN` takes what `train` wrote to RUN,
merges it as the sidecar would, measures what is served, lays its replies to ordinary
requests beside the base model's, and writes `finetune/adapters/NAME`.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from finetune.data.warden.pieces import Pieces, read_pieces
from finetune.data.warden.prompts import write_system
from finetune.evaluation.served import count_hits
from finetune.evaluation.warden import Warden, vocabulary, write_probes
from finetune.releasing.language import (
    about_run,
    cell,
    filled_card,
    folder_of,
    read_run,
    share,
    write_model,
)
from finetune.settings import Settings, load_settings
from finetune.weights.files import write_text
from finetune.weights.places import find_file
from finetune.weights.releases import CARD
from finetune.weights.served import merged_model

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
    run = read_run(chosen.run)
    folder = folder_of(run)
    # If measuring fails, no card is better than that of another model.
    (folder / CARD).unlink(missing_ok=True)
    # Twice: the figures of the released files belong in their manifest.
    write_model(folder, chosen.run, run, run["figures"])
    words = Path(run["recipe"]["data"]["words"])
    pieces = read_pieces(words, vocabulary(settings))
    with closing(
        _served(merged_model(folder, settings.instance / "models"), settings)
    ) as warden:
        figures = run["figures"] | _figures(warden, pieces, chosen.count)
        pairs = _side_by_side(warden, pieces, settings)
    write_model(folder, chosen.run, run, figures)
    about = about_run(folder.name, chosen.run, run)
    write_text(folder / CARD, card(about, figures, pairs))
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


def card(
    about: Mapping[str, str], figures: Mapping[str, Any], pairs: Sequence[Pair]
) -> str:
    """Return the card: the text of `cards/warden.md` with the figures filled in."""
    rows = [
        f"| {figure} | {share(value)} | {value['count']} |"
        for figure, value in figures.items()
        if isinstance(value, Mapping)
    ]
    said = [f"| {cell(p.ask)} | {cell(p.base)} | {cell(p.warden)} |" for p in pairs]
    slots = {"{figures}": "\n".join(rows), "{pairs}": "\n".join(said)}
    return filled_card(_TEXT, {**about, **slots})


if __name__ == "__main__":
    sys.exit(main())
