"""Cards of the released models: what they learned from, how well they work.

A released model is a folder with a manifest and a card; `./wordkeep train` and the
release commands write them. The site only reads them: those that come with the program,
and those of the installation in `models/`, which the sidecar serves as well.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from webapp.domain.services import Services
from webapp.errors import NotFound

log = logging.getLogger(__name__)

MANIFEST: Final = "manifest.json"
CARD: Final = "card.md"
OWN_MODELS: Final = "models"


class _Base(BaseModel):
    place: str
    sha256: str


class _Manifest(BaseModel):
    """What a page shows of a manifest, which holds more."""

    kind: str
    base: _Base | None = None
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A released model. `text` is its card in Markdown, without the heading.

    `base` and `base_sha256` are empty for a whole model, which was changed from none.
    """

    name: str
    kind: str
    version: str
    base: str
    base_sha256: str
    files: Mapping[str, str]
    text: str

    @property
    def intro(self) -> str:
        """The first paragraph: what the model is for."""
        return self.text.strip().partition("\n\n")[0]


def card_names(services: Services) -> tuple[str, ...]:
    """Return the names of all released models, in alphabetical order."""
    return tuple(sorted(_folders(services)))


def cards(services: Services) -> tuple[ModelCard, ...]:
    """Return the cards of all released models; a damaged release is skipped."""
    folders = _folders(services)
    read = (_read(folders[name]) for name in sorted(folders))
    return tuple(card for card in read if card is not None)


def card(services: Services, name: str) -> ModelCard:
    """Return the card of a model; raise NotFound if none of this name is released."""
    # Looked up, never joined: a name from an address must not lead out of the folder.
    folder = _folders(services).get(name)
    released = None if folder is None else _read(folder)
    if released is None:
        raise NotFound(f"No model named “{name}” is released here.")
    return released


def _folders(services: Services) -> dict[str, Path]:
    """Return name → folder; a model of the program keeps its name."""
    settings = services.settings
    folders: dict[str, Path] = {}
    for parent in (settings.adapters, settings.instance / OWN_MODELS):
        if parent.is_dir():
            for path in filter(_is_released, parent.iterdir()):
                folders.setdefault(path.name, path)
    return folders


def _is_released(path: Path) -> bool:
    return all((path / name).is_file() for name in (MANIFEST, CARD))


def _read(folder: Path) -> ModelCard | None:
    try:
        manifest = _Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        text = (folder / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        log.warning("the release %s cannot be read: %s", folder.name, error)
        return None
    base = manifest.base
    heading, _, rest = text.partition("\n")
    return ModelCard(
        name=folder.name,
        kind=manifest.kind,
        version=_version(manifest.files),
        base=base.place if base else "",
        base_sha256=base.sha256 if base else "",
        files=manifest.files,
        text=rest if heading.startswith("# ") else text,
    )


def _version(files: Mapping[str, str]) -> str:
    """Return the short name of exactly these weights, as the sidecar gives it."""
    joined = "".join(files[name] for name in sorted(files))
    return hashlib.sha256(joined.encode()).hexdigest()[:12]
