"""Released models: an adapter, its card, and a manifest that names every byte."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError
from finetune.weights.files import write_json

MANIFEST = "manifest.json"
CARD = "card.md"
# In the folder of a run: why its model cannot be prompted here, in a sentence.
NOT_SERVED = "not-served.txt"
_PACKAGES = ("torch", "transformers", "peft", "safetensors", "gguf", "numpy")


class ReleaseError(FinetuneError):
    """A released model cannot be used; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Release:
    """A released model whose files are as they were released."""

    folder: Path
    name: str
    kind: str
    base_place: str
    base_sha256: str
    files: Mapping[str, str]
    recipe: Mapping[str, Any]
    figures: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Return a short name of exactly these weights."""
        joined = "".join(self.files[name] for name in sorted(self.files))
        return hashlib.sha256(joined.encode()).hexdigest()[:12]

    def file(self, name: str) -> Path:
        """Return the path of one of its files."""
        if name not in self.files:
            raise ReleaseError(f"The release {self.folder} has no file {name}.")
        return self.folder / name

    def settings(self, name: str, needed: Sequence[str]) -> dict[str, Any]:
        """Return the JSON object in one of its files, which has all that is needed.

        Raises ReleaseError for a file without: it is of another version of this code.
        """
        path = self.file(name)
        found = json.loads(path.read_text("utf-8"))
        lacking = [key for key in needed if key not in found]
        if lacking:
            raise ReleaseError(
                f"{path} does not say {', '.join(lacking)}: another version of Wordkeep"
                f" made it. Train {self.name} again, or use that version."
            )
        return dict(found)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_release(
    folder: Path,
    *,
    name: str,
    kind: str,
    base_place: str | None,
    base: Path | None,
    files: Mapping[str, Path],
    recipe: Mapping[str, Any],
    figures: Mapping[str, Any],
    seconds: float,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Copy the files of a model and write its manifest last: then it is complete.

    `files` are name → where it is now. A whole model has no base. `more` is what the
    manifest says besides, such as a licence. An earlier release in the folder counts as
    gone from the first copied byte on; its card stays until a new one is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    for file_name, source in files.items():
        if source != folder / file_name:
            shutil.copyfile(source, folder / file_name)
    manifest = {
        "name": name,
        "kind": kind,
        **({} if base is None else {"base": _base(base_place, base)}),
        "files": {file_name: sha256(folder / file_name) for file_name in files},
        "versions": {package: version(package) for package in _PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}",
        "seconds": round(seconds),
        "recipe": dict(recipe),
        "figures": dict(figures),
        **(more or {}),
    }
    write_json(folder / MANIFEST, manifest)


def _base(place: str | None, file: Path) -> dict[str, Any]:
    return {"place": place, "sha256": sha256(file)}


def read_release(folder: Path, *, base: Path | None = None) -> Release:
    """Read a release; raise ReleaseError if a file, or the given base, is another."""
    release = _read_manifest(folder)
    for name, digest in release.files.items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise ReleaseError(
                f"{path} is missing or is not what was released:"
                f" restore it, or train {release.name} again."
            )
    if base is not None and sha256(base) != release.base_sha256:
        raise ReleaseError(
            f"The adapter {release.name} was made for another base than {base}:"
            f" it wants {release.base_place} with SHA-256 {release.base_sha256[:12]}…"
        )
    return release


def _read_manifest(folder: Path) -> Release:
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        return Release(
            folder=folder,
            name=manifest["name"],
            kind=manifest["kind"],
            base_place=manifest["base"]["place"],
            base_sha256=manifest["base"]["sha256"],
            files=manifest["files"],
            recipe=manifest["recipe"],
            figures=manifest["figures"],
        )
    except OSError as error:
        raise ReleaseError(
            f"{folder} holds no complete release: {MANIFEST} cannot be read."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{folder / MANIFEST} is damaged: {error!r}.") from error
