"""The GGUF file served for a place: a base as it is, a release merged with it."""

from __future__ import annotations

import re
from pathlib import Path

from finetune.weights.files import made_once
from finetune.weights.places import find_file
from finetune.weights.releases import MANIFEST, read_release

# A merged file of another form, from an earlier version of this program, is not used.
_FORM = "chatml"
ADAPTERS = Path(__file__).parent.parent / "adapters"


def served_file(place: str, cache: Path) -> Path:
    """Return the GGUF file of any place; an adapter is merged on first use.

    Raises ModelMissing, ReleaseError or OSError.
    """
    folder = release_folder(place)
    return merged_model(folder, cache) if folder else find_file(place, cache=cache)


def release_folder(place: str) -> Path | None:
    """Return the folder of the release at a place, None if it is none."""
    if place.startswith("adapter:"):
        return ADAPTERS / place.removeprefix("adapter:")
    return Path(place) if (Path(place) / MANIFEST).is_file() else None


def merged_model(folder: Path, cache: Path) -> Path:
    """Return the merged GGUF of a release, made now if it is not in `cache` yet.

    Raises ReleaseError if the release or its base is not what it should be, OSError
    if the file cannot be written; then nothing half-made is left.
    """
    release = read_release(folder)
    path = cache / f"{release.name}-{release.version}-{_FORM}.gguf"
    if path.is_file():
        return path
    from finetune.weights.merge import read_deltas, write_merged  # noqa: PLC0415 -- slow import

    base = find_file(release.base_place, cache=cache)
    release = read_release(folder, base=base)
    return made_once(path, lambda new: write_merged(base, read_deltas(release), new))


def forget_merged(name: str, cache: Path) -> None:
    """Remove what was merged of a release that is gone; raise OSError."""
    ours = re.compile(rf"{re.escape(name)}-[0-9a-f]{{12}}-{_FORM}\.gguf")
    for path in cache.glob("*.gguf"):
        if ours.fullmatch(path.name):
            path.unlink(missing_ok=True)
