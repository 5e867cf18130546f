"""Cards of the released models: what they learned from, how well they do.

A released model is a folder with a manifest and a card; `./wordkeep train` and the
release commands write them. The site only reads them.
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


class _Base(BaseModel):
    place: str
    sha256: str


class _Manifest(BaseModel):
    """What a page says of a manifest; it holds more."""

    kind: str
    base: _Base
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A released model. `text` is its card in Markdown, without the heading."""

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
    folder = services.settings.adapters
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if _is_released(path)))


def cards(services: Services) -> tuple[ModelCard, ...]:
    """Return the cards of all released models; a damaged release is passed over."""
    found = (_read(services.settings.adapters / name) for name in card_names(services))
    return tuple(card for card in found if card is not None)


def card(services: Services, name: str) -> ModelCard:
    """Return the card of a model; raise NotFound if none of this name is released."""
    # Compared, never joined: a name from an address must not lead out of the folder.
    is_known = name in card_names(services)
    found = _read(services.settings.adapters / name) if is_known else None
    if found is None:
        raise NotFound(f"No model named “{name}” is released here.")
    return found


def _is_released(path: Path) -> bool:
    return all((path / name).is_file() for name in (MANIFEST, CARD))


def _read(folder: Path) -> ModelCard | None:
    try:
        manifest = _Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        text = (folder / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        log.warning("the release %s cannot be read: %s", folder.name, error)
        return None
    heading, _, rest = text.partition("\n")
    return ModelCard(
        name=folder.name,
        kind=manifest.kind,
        version=_version(manifest.files),
        base=manifest.base.place,
        base_sha256=manifest.base.sha256,
        files=manifest.files,
        text=rest if heading.startswith("# ") else text,
    )


def _version(files: Mapping[str, str]) -> str:
    """Return the short name of exactly these weights, as the sidecar tells it."""
    joined = "".join(files[name] for name in sorted(files))
    return hashlib.sha256(joined.encode()).hexdigest()[:12]
