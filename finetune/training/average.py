"""One gate from several: the mean of their weights.

`python -m finetune.training.average RUN OTHER … --out MEAN` takes the recipe of RUN, a
folder of `train`, and the adapters of all. Models that were trained from the same
weights in different ways agree where they are right; their mean, which costs nothing
more to run, does better on messages of another kind than each of them (Wortsman et al.
2022, arXiv 2203.05482). Thresholds and figures in MEAN are those of the mean.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from finetune.data.guards.collect import collect
from finetune.guards.detector import ADAPTER, write_tensors
from finetune.recipes.common import RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.training.files import RUN, write_run
from finetune.training.gate import judge
from finetune.training.means import mean_of


def main(arguments: list[str] | None = None) -> int:
    """Write the mean, its thresholds, and last its `run.json`."""
    parser = argparse.ArgumentParser(prog="average", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("other", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        run = json.loads((chosen.run / RUN).read_text("utf-8"))
        recipe = ClassifierRecipe.model_validate(run["recipe"])
        means = mean_of([chosen.run, *chosen.other])
    except (OSError, ValueError, KeyError, RecipeError) as error:
        parser.error(f"{chosen.run} and the others cannot be put together: {error}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    # Until it is written again, the last thing, the folder holds no complete run.
    (chosen.out / RUN).unlink(missing_ok=True)
    write_tensors(means, chosen.out / ADAPTER)
    figures = judge(recipe, collect(recipe, _say), out=chosen.out)
    _say({"event": "figures", **figures})
    write_run(chosen.out, recipe, figures, run["seconds"])
    return 0


def _say(event: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(event) + "\n")


if __name__ == "__main__":
    sys.exit(main())
