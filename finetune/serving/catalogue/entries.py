"""One entry of the catalogue: a model that can be asked for, loaded or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from finetune.serving.catalogue.manifests import Manifest, read_manifest
from finetune.weights.served import release_folder

Kind = Literal["chat", "base", "embedding", "guard"]
Stage = Literal["message", "reply"]

# What guards of a task read: the player's messages, or the replies to them.
_READS: dict[str, Stage] = {"gate": "message", "leak": "reply"}
_KINDS: dict[str, Kind] = {
    "lm": "chat", "chat": "chat", "base": "base", "embedding": "embedding",
    "guard": "guard",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A model by its name. Two entries with the same fields are the same weights.

    `place` is as in `finetune.weights.places`, or the folder of a manifest, which
    `files` (name → SHA-256) come from. `base` is the place of the model that an adapter
    changes. `version` is empty where only reading the weights would tell.
    """

    name: str
    kind: Kind
    place: str
    version: str = ""
    base: str = ""
    licence: str = ""
    reads: Stage | None = None
    files: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path | None:
        """The folder of its manifest, if it has one."""
        return Path(self.place) if self.files else None

    @property
    def gguf(self) -> Path | None:
        """The GGUF file of a whole model in a folder."""
        if self.folder is None or self.base:
            return None
        names = [name for name, _ in self.files if name.endswith(".gguf")]
        return self.folder / names[0] if names else None


def entry_of_place(name: str, kind: Kind, place: str) -> Entry:
    """Return the entry of a place in the settings; raise ManifestError."""
    folder = release_folder(place)
    if folder is None:
        return Entry(name, kind, place)
    return entry_of_folder(name, folder, read_manifest(folder))


def entry_of_folder(name: str, folder: Path, manifest: Manifest) -> Entry:
    """Return the entry of a folder with a manifest, under the name it is given."""
    return Entry(
        name=name,
        kind=_KINDS[manifest.kind],
        place=str(folder),
        version=manifest.version,
        base=manifest.base.place if manifest.base else "",
        licence=manifest.licence,
        reads=_READS.get(manifest.recipe.task) if manifest.kind == "guard" else None,
        files=tuple(sorted(manifest.files.items())),
    )
