"""What a backup says of itself."""

from __future__ import annotations

import tomllib
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from webapp.errors import LabError
from webapp.settings import PROJECT

NAME: Final = "manifest.json"
FORMAT: Final = 1
# A name of a part is at most a few hundred characters; 200,000 files are a great many.
MOST_BYTES: Final = 64_000_000
# Where the database lies in a backup; the other parts lie under `INSTANCE`.
DATABASES: Final = {
    "sqlite": "database/wordkeep.db",
    "postgresql": "database/wordkeep.pgdump",
}
INSTANCE: Final = "instance"

Kind = Literal["sqlite", "postgresql"]


class BackupError(LabError):
    """A backup cannot be made or used; the message says why and what to do."""

    code = "backup"


class Part(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What was saved, when, and by which version; `revision` is that of the tables."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    version: str
    made_at: str
    database: Kind
    revision: str
    has_models: bool
    parts: dict[str, Part]


def read_manifest(text: bytes) -> Manifest:
    """Return a manifest; raise BackupError where it is none of ours."""
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BackupError(
            "The backup cannot be read: its manifest is not one of Wordkeep's. Use "
            "another backup."
        ) from error
    if manifest.format > FORMAT:
        raise BackupError(
            "The backup was made by a newer version of Wordkeep. Update the program "
            "and restore again."
        )
    return manifest


def own_version() -> str:
    """Return the version of this program."""
    known = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(known["project"]["version"])
