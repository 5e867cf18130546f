"""Release a trained warden: its adapter, its figures, and its card.

`python -m finetune.releasing.warden RUN` takes what `train` wrote to RUN,
merges it as the sidecar would, measures what is served, lets it answer a hundred
ordinary requests, and writes `finetune/adapters/NAME`. With `--before FILE`, what
`warden-eval --json FILE` found of an earlier release stands beside its figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from finetune.data.warden.pieces import Pieces, read_pieces
from finetune.evaluation.served import count_hits
from finetune.evaluation.talk import Said
from finetune.evaluation.warden import (
    Warden,
    measure_talk,
    vocabulary,
    write_probes,
)
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
from finetune.weights.releases import CARD, ReleaseError
from finetune.weights.served import merged_model

_TEXT = Path(__file__).parent / "cards/warden.md"


def main(arguments: list[str] | None = None) -> int:
    """Write the release; its card comes last, with the figures of what is released."""
    parser = argparse.ArgumentParser(prog="release_warden", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=200, help="requests per figure")
    parser.add_argument(
        "--before", type=Path, help="figures of an earlier release, by warden-eval"
    )
    chosen = parser.parse_args(arguments)
    settings = load_settings(os.environ)
    run = read_run(chosen.run)
    folder = folder_of(run)
    before = read_figures(chosen.before) if chosen.before else {}
    # If measuring fails, no card is better than that of another model.
    (folder / CARD).unlink(missing_ok=True)
    # Twice: the figures of the released files belong in their manifest.
    write_model(folder, chosen.run, run, run["figures"])
    words = Path(run["recipe"]["data"]["words"])
    pieces = read_pieces(words, vocabulary(settings))
    with closing(
        _served(merged_model(folder, settings.instance / "models"), settings)
    ) as warden:
        talked = measure_talk(warden, pieces)
        figures = run["figures"] | _figures(warden, pieces, chosen.count)
    figures |= {name: figure.as_row() for name, figure in talked.figures.items()}
    write_model(folder, chosen.run, run, figures)
    about = about_run(folder.name, chosen.run, run)
    write_text(folder / CARD, card(about, figures, before, talked.ordinary))
    sys.stdout.write(f"Released {folder}.\n")
    return 0


def _served(path: Path, settings: Settings) -> Warden:
    return Warden(path, copies=settings.engine_copies, threads=settings.engine_threads)


def _figures(warden: Warden, pieces: Pieces, count: int) -> dict[str, Any]:
    asked = warden.replies(write_probes(pieces, count, seed=7))
    hits = count_hits((probe, probe.is_hit(reply)) for probe, reply in asked)
    return {name: figure.as_row() for name, figure in hits.items()}


def read_figures(path: Path) -> dict[str, Any]:
    """Return the figures of a file of `warden-eval`; raise ReleaseError."""
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))["figures"]
    except (OSError, ValueError, KeyError) as error:
        raise ReleaseError(
            f"{path} is no file of figures: write one with warden-eval --json."
        ) from error
    return found


def card(
    about: Mapping[str, str],
    figures: Mapping[str, Any],
    before: Mapping[str, Any],
    ordinary: Sequence[Said],
) -> str:
    """Return the card: the text of `cards/warden.md` with the figures filled in."""
    rows = [
        f"| {figure} | {share(before[figure]) if figure in before else '–'}"
        f" | {share(value)} | {value['count']} |"
        for figure, value in figures.items()
        if isinstance(value, Mapping)
    ]
    said = [f"| {e.speaker} | {cell(e.ask)} | {cell(e.reply)} |" for e in ordinary]
    slots = {"{figures}": "\n".join(rows), "{ordinary}": "\n".join(said)}
    return filled_card(_TEXT, {**about, **slots})


if __name__ == "__main__":
    sys.exit(main())
