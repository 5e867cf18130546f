"""Release a trained scribe: its adapter, its figures, and its card.

`python -m finetune.releasing.scribe RUN` takes what `train` wrote to RUN, merges it as
the sidecar would, measures what is served, and writes `finetune/adapters/NAME`.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from finetune.evaluation.scribe import (
    TEMPERATURES,
    Answered,
    figures_of,
    replies,
    write_probes,
)
from finetune.evaluation.served import Served
from finetune.releasing.language import (
    about_run,
    cell,
    filled_card,
    folder_of,
    read_run,
    share,
    write_model,
)
from finetune.settings import load_settings
from finetune.weights.files import write_json, write_text
from finetune.weights.releases import CARD
from finetune.weights.served import merged_model

_TEXT = Path(__file__).parent / "cards/scribe.md"
_SEED = 7
_SHOWN = 60
# In which table of the card a figure is, by how its name begins; the first is the rest.
_PARTS = ("", "unseen: ", "weak: ", "naive: ")
REPLIES = "replies.json"


def main(arguments: list[str] | None = None) -> int:
    """Write the release; its card comes last, with the figures of what is released."""
    parser = argparse.ArgumentParser(prog="release_scribe", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=24, help="requests per figure")
    chosen = parser.parse_args(arguments)
    settings = load_settings(os.environ)
    run = read_run(chosen.run)
    folder = folder_of(run)
    # If measuring fails, no card is better than that of another model.
    (folder / CARD).unlink(missing_ok=True)
    # Twice: the figures of the released files belong in their manifest.
    write_model(folder, chosen.run, run, run["figures"])
    probes = write_probes(Path(run["recipe"]["data"]["words"]), chosen.count, _SEED)
    path = merged_model(folder, settings.instance / "models")
    copies, threads = settings.engine_copies, settings.engine_threads
    with closing(Served("scribe", path, copies=copies, threads=threads)) as model:
        answers = list(replies(model, probes))
    figures = run["figures"] | figures_of(answers)
    write_model(folder, chosen.run, run, figures)
    # All of them, for whoever wants to read what the figures count.
    write_json(chosen.run / REPLIES, [_as_row(one) for one in answers])
    about = about_run(folder.name, chosen.run, run)
    write_text(folder / CARD, card(about, figures, answers))
    sys.stdout.write(f"Released {folder}.\n")
    return 0


def _as_row(answer: Answered) -> dict[str, Any]:
    return {
        "figure": answer.probe.figure,
        "temperature": answer.temperature,
        "turns": answer.probe.turns,
        "reply": answer.reply,
        "hit": answer.is_hit,
    }


def card(
    about: Mapping[str, str], figures: Mapping[str, Any], answers: Sequence[Answered]
) -> str:
    """Return the card: the text of `cards/scribe.md` with the figures filled in."""
    tables = {part: _table(figures, part) for part in _PARTS}
    slots = {
        "{learned}": tables[""],
        "{unseen}": tables["unseen: "],
        "{weak}": tables["weak: "],
        "{naive}": tables["naive: "],
        "{replies}": _shown(answers),
    }
    return filled_card(_TEXT, {**about, **slots})


def _table(figures: Mapping[str, Any], part: str) -> str:
    """Return the rows of a part: a family, its share at each temperature, how many."""
    rows = []
    for name in _families(figures):
        if (name.startswith(_PARTS[1:]) and not part) or not name.startswith(part):
            continue
        own = [figures[f"{name}, T {t}"] for t in TEMPERATURES]
        shares = " | ".join(share(row) for row in own)
        rows.append(f"| {name.removeprefix(part)} | {shares} | {own[0]['count']} |")
    return "\n".join(rows)


def _families(figures: Mapping[str, Any]) -> list[str]:
    last = f", T {TEMPERATURES[0]}"
    return [name.removesuffix(last) for name in figures if name.endswith(last)]


def _shown(answers: Sequence[Answered]) -> str:
    """Return some replies, whether they are right or not, as rows of a table."""
    asked = [one for one in answers if one.temperature == TEMPERATURES[-1]]
    chosen = random.Random(_SEED).sample(asked, min(_SHOWN, len(asked)))
    return "\n".join(
        f"| {one.probe.figure} | {cell(_chat(one))} | {cell(one.reply)} |"
        f" {'yes' if one.is_hit else 'no'} |"
        for one in sorted(chosen, key=lambda one: one.probe.figure)
    )


def _chat(answer: Answered) -> str:
    return "\n".join(f"[{t['role']}] {t['content']}" for t in answer.probe.turns)


if __name__ == "__main__":
    sys.exit(main())
