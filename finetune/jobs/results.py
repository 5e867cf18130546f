"""The files of a finished model that one may take away."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from finetune.jobs.errors import JobError, NoSuch
from finetune.weights.files import made_once
from finetune.weights.served import merged_model, release_folder

GGUF: Final = "model.gguf"
# What may be asked for by name; nothing else of the folders is given out.
NAMES: Final = (
    GGUF,
    "adapter_model.safetensors",
    "adapter_config.json",
    "model.safetensors",
    "tokenizer.json",
    "config.json",
    "card.md",
    # Of a guard: its networks, how it decides, and what it said of held-out messages.
    "adapter.safetensors",
    "guard.json",
    "judged.json",
)


def result_file(model: Path, run: Path, name: str, *, quality: str = "") -> Path:
    """Return a file of a model, or of the run that made it.

    An adapter is merged into its base where a whole model is asked for; `quality` is
    the size of that, as it is served by default. Raises NoSuch, JobError, ReleaseError,
    ModelMissing or OSError.
    """
    if name not in NAMES:
        raise NoSuch(f"There is no file {name[:60]!r}; there are {', '.join(NAMES)}.")
    if not model.is_dir():
        raise NoSuch("The files of this model are gone: somebody deleted its folder.")
    if quality and name == GGUF:
        return _in_quality(result_file(model, run, name), run, quality)
    for folder in (model, run):
        if (folder / name).is_file():
            return folder / name
    if name == GGUF and release_folder(str(model)) is not None:
        return merged_model(model, model.parent)
    raise NoSuch(f"This model has no file {name}: it was trained in another way.")


def _in_quality(gguf: Path, run: Path, quality: str) -> Path:
    from finetune.weights.export import QUALITIES, write_quality  # noqa: PLC0415 -- slow import

    wanted = next((known for known in QUALITIES if known == quality), None)
    if wanted is None:
        raise JobError(
            f"quality may be {', '.join(QUALITIES)}, and not {quality[:20]!r}.",
            param="quality",
        )
    # Where the served file is another one than before, so is this one.
    version = f"{gguf.stat().st_mtime_ns:x}"
    return made_once(
        run / "sizes" / f"{version}-{quality}.gguf",
        lambda new: write_quality(gguf, new, wanted),
    )
