"""What the manifest of a model folder says, read without reading its weights."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.errors import FinetuneError
from finetune.weights.releases import MANIFEST

# A model's name is the name of its folder: one path segment, and never hidden.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_MOST_BYTES = 5_000_000

Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
# Segments that begin with a letter or digit: none is "..", none leads out.
FileName = Annotated[str, Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$", max_length=200)]


class ManifestError(FinetuneError):
    """A model folder cannot be used; the message is one sentence for a person."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ManifestBase(_Part):
    """The model that an adapter changes."""

    place: str
    sha256: str


class ManifestRecipe(_Part):
    """What is needed of the recipe: what a guard finds, and what a model began as."""

    task: str = ""
    base: str | None = None


class Manifest(_Part):
    """The manifest of a release. Without `base` the folder holds the whole model.

    `files` are name → SHA-256. `lm` is what the training of language models calls a
    chat model.
    """

    name: Name
    kind: Literal["lm", "chat", "base", "embedding", "guard"]
    base: ManifestBase | None = None
    files: dict[FileName, str] = Field(min_length=1)
    licence: str = Field("", max_length=200)
    recipe: ManifestRecipe = ManifestRecipe()

    @property
    def version(self) -> str:
        """The short name of exactly these weights, as `Release.version` gives it."""
        joined = "".join(self.files[name] for name in sorted(self.files))
        return hashlib.sha256(joined.encode()).hexdigest()[:12]

    @property
    def gguf(self) -> str:
        """The name of its one GGUF file; empty if it has none or several."""
        names = [name for name in self.files if name.endswith(".gguf")]
        return names[0] if len(names) == 1 else ""


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder and see that its files are there.

    Raises ManifestError. What is in the files is checked when they are loaded.
    """
    where = f"{folder.parent.name}/{folder.name}"
    if not NAME.fullmatch(folder.name):
        raise ManifestError(
            f"{where[:100]!r}: this cannot be the name of a model. Rename the folder:"
            " letters, digits, dots, hyphens and underscores, at most 80."
        )
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ManifestError(f"{where}/{MANIFEST} is too large to be a manifest.")
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ManifestError(
            f"{where}/{MANIFEST} cannot be read: {error.strerror}."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        said = f"{field}: {first['msg']}" if field else first["msg"]
        raise ManifestError(f"{where}/{MANIFEST} cannot be used: {said}.") from error
    _check(where, folder, manifest)
    return manifest


def _check(where: str, folder: Path, manifest: Manifest) -> None:
    for name in manifest.files:
        if not (folder / name).is_file():
            raise ManifestError(
                f"{where}/{name} is missing, but {MANIFEST} names it: copy it there."
            )
    is_talker = manifest.kind in ("lm", "chat", "base")
    if is_talker and manifest.base is None and not manifest.gguf:
        raise ManifestError(
            f"{where}: a whole {manifest.kind} model is one GGUF file, and {MANIFEST}"
            " must name it. Convert the weights to GGUF, or release an adapter."
        )
    if manifest.kind == "embedding" and manifest.base is not None:
        raise ManifestError(
            f"{where}: an embedding model is a whole folder of sentence-transformers,"
            f" so its {MANIFEST} has no base."
        )
    if manifest.kind == "guard" and manifest.base is None:
        raise ManifestError(f"{where}: a guard needs the base that its weights change.")
