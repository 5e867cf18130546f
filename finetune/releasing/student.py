"""Make a model that is served out of a run: what a student has trained.

`python -m finetune.releasing.student RUN` takes what `train` wrote to RUN, and gives it
to the models of the instance; the worker does the same for trainings of the site.

An adapter is released as such, beside its base; a model that learned as a whole becomes
one GGUF file. Nothing is measured here: the figures are those of the run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finetune.data.rows import end_of_text
from finetune.errors import FinetuneError
from finetune.recipes.lm import LmRecipe
from finetune.releasing.facts import Facts, read_facts
from finetune.releasing.student_card import card
from finetune.settings import load_settings
from finetune.weights.base import load_base, with_adapter
from finetune.weights.benchmarks import RESULTS
from finetune.weights.export import CONFIG as MODEL_CONFIG
from finetune.weights.export import (
    TOKENIZER,
    WEIGHTS,
    Quality,
    write_gguf,
)
from finetune.weights.export_kinds import ExportError
from finetune.weights.files import write_text
from finetune.weights.merge import ADAPTER, CONFIG
from finetune.weights.places import find_file
from finetune.weights.releases import CARD, MANIFEST, NOT_SERVED, write_release
from finetune.weights.served import merged_model

GGUF = "model.gguf"
# A model this small keeps 16 bits: nothing is gained by fewer.
_SMALL = 20_000_000


def release_run(
    run: Path, models: Path, name: str, *, about: Mapping[str, Any]
) -> Path:
    """Write the model of a complete run to `models/NAME`; return that folder.

    The catalogue serves it from the moment its manifest is there, which is written
    last. `models` is also where bases from the hub are kept. `about` may say `title`,
    `data` (name of the data), `rows` (of the file), `licence`, `base_licence` and `by`;
    what it does not say is left out of the card. `data_source` and `data_terms` say
    where the data is from; without them the card says that nobody told. A release in
    the folder is replaced.

    What began as a model of the hub may be of a form that the engine does not know.
    Then the folder has card and weights, to be taken away, and no manifest; why, is in
    NOT_SERVED of the run. Raises ReleaseError if the run is not complete, ModelMissing,
    or OSError; ExportError if the engine cannot serve what began here.
    """
    facts = read_facts(run)
    folder = models / name
    folder.mkdir(parents=True, exist_ok=True)
    # Before the card is another one: it is of what the manifest names.
    (folder / MANIFEST).unlink(missing_ok=True)
    # Benchmarks were of the weights that are replaced.
    (folder / RESULTS).unlink(missing_ok=True)
    write_text(folder / CARD, card(name, facts, about))
    recipe = facts.recipe
    is_adapter = recipe.adapters is not None and ".gguf" in recipe.base
    (run / NOT_SERVED).unlink(missing_ok=True)
    if is_adapter:
        files = {file: run / file for file in (ADAPTER, CONFIG)}
    else:
        try:
            files = _whole(run, folder, name, facts, models)
        except ExportError as error:
            if recipe.is_fresh or ".gguf" in recipe.base:
                raise
            (folder / GGUF).unlink(missing_ok=True)
            write_text(run / NOT_SERVED, f"It cannot be prompted here: {error}")
            return folder
    write_release(
        folder,
        name=name,
        kind="chat" if facts.is_chat else "base",
        base_place=recipe.base if is_adapter else None,
        base=find_file(recipe.base, cache=models) if is_adapter else None,
        files=files,
        recipe=recipe.model_dump(mode="json"),
        figures=facts.figures,
        seconds=facts.seconds,
        more={"licence": str(about.get("licence", "")), "about": dict(about)},
    )
    if is_adapter:
        # Now, in the background, and not when somebody waits for the first reply.
        merged_model(folder, models)
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Release a run into the models of an instance."""
    parser = argparse.ArgumentParser(prog="release_student", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", help="name of the model; default: that of its folder")
    parser.add_argument("--title", default="", help="what its card is headed with")
    parser.add_argument("--instance", type=Path, help="folder for what is made")
    chosen = parser.parse_args(arguments)
    settings = load_settings(os.environ, instance=chosen.instance)
    name = chosen.name or chosen.run.resolve().name
    try:
        folder = release_run(
            chosen.run,
            settings.instance / "models",
            name,
            about={"title": chosen.title},
        )
    except FinetuneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Released {folder}.\n")
    return 0


def _whole(
    run: Path, folder: Path, name: str, facts: Facts, cache: Path
) -> dict[str, Path]:
    """Write all weights, and one file of them for the engine."""
    recipe = facts.recipe
    if recipe.adapters is not None:
        _merge(run, folder, recipe, cache)
    else:
        for file in (WEIGHTS, MODEL_CONFIG, TOKENIZER):
            shutil.copyfile(run / file, folder / file)
    quality: Quality = "f16" if facts.parameters < _SMALL else "q8_0"
    is_gguf = not recipe.is_fresh and ".gguf" in recipe.base
    write_gguf(
        folder,
        folder / GGUF,
        name=name,
        quality=quality,
        tokenizer_of=find_file(recipe.base, cache=cache) if is_gguf else None,
        is_chat=facts.is_chat,
    )
    names = (GGUF, WEIGHTS, MODEL_CONFIG, TOKENIZER)
    return {file: folder / file for file in names}


def _merge(run: Path, folder: Path, recipe: LmRecipe, cache: Path) -> None:
    """Add the adapter to its base, which is a folder of transformers."""
    base = load_base(recipe.base, cache=cache)
    merged = with_adapter(base.model, run).merge_and_unload()
    # What it has learned to end with; some of the hub say another token there.
    merged.config.eos_token_id = end_of_text(base.tokenizer)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        merged.half().save_pretrained(made)
        base.tokenizer.save_pretrained(made)
        for file in (WEIGHTS, MODEL_CONFIG, TOKENIZER):
            Path(made, file).replace(folder / file)


if __name__ == "__main__":
    sys.exit(main())
