"""Where model files come from: a path, an installed package, or the hub.

A place is text: a path, package:name/inside, or owner/repository[:file.gguf].
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from finetune.errors import FinetuneError


class ModelMissing(FinetuneError):
    """There is no such model file; the message is one sentence that says what to do."""


def find_file(place: str, *, cache: Path | None = None) -> Path:
    """Return the GGUF file of a place; a hub file is downloaded on first use."""
    if place.startswith("package:"):
        return _in_package(place)
    if Path(place).is_file():
        return Path(place)
    repository, colon, file = place.partition(":")
    if colon and repository.count("/") == 1 and file.endswith(".gguf"):
        return _from_hub(repository, file, cache)
    raise ModelMissing(
        f"There is no model file at {place}: check the path, or write"
        " owner/repository:file.gguf for a file on the Hugging Face hub."
    )


def find_folder(place: str, *, cache: Path | None = None) -> Path:
    """Return the folder of a sentence-transformers model."""
    if place.startswith("package:"):
        return _in_package(place)
    if Path(place).is_dir():
        return Path(place)
    if place.count("/") == 1 and not place.startswith((".", "/")):
        return _from_hub(place, None, cache)
    raise ModelMissing(
        f"There is no model folder at {place}: check the path, or write"
        " owner/repository for a model on the Hugging Face hub."
    )


def _in_package(place: str) -> Path:
    package, _, inside = place.removeprefix("package:").partition("/")
    # The package is not imported: one of them pulls in plug-ins that are not wanted.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelMissing(
            f"The Python package {package}, which holds the model, is not installed:"
            " run ./wordkeep up once with a network."
        )
    path = Path(spec.origin).parent / inside
    if not path.exists():
        raise ModelMissing(f"The Python package {package} has no file {inside}.")
    return path


def _from_hub(repository: str, file: str | None, cache: Path | None) -> Path:
    from huggingface_hub import (  # noqa: PLC0415 -- slow import
        hf_hub_download,
        snapshot_download,
    )
    from huggingface_hub.errors import (  # noqa: PLC0415 -- slow import
        HfHubHTTPError,
        LocalEntryNotFoundError,
    )

    try:
        if file is None:
            return Path(snapshot_download(repository, cache_dir=cache))
        return Path(hf_hub_download(repository, file, cache_dir=cache))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        wanted = f"{file} of {repository}" if file else repository
        raise ModelMissing(
            f"The model {wanted} is not on this machine and the Hugging Face hub"
            f" could not provide it ({type(error).__name__}): check the name and the"
            " network."
        ) from error
