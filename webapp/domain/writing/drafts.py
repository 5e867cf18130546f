"""Drafts: texts of content files that are written and not published yet."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from webapp.content.files import find_files
from webapp.content.loader import Loaded
from webapp.content.overlay import load_with
from webapp.domain.services import Services


def folder(services: Services) -> Path:
    """Return where drafts lie, under the paths that they will be published at."""
    return services.settings.instance / "drafts"


def texts(services: Services) -> dict[PurePosixPath, str | None]:
    """Return all drafts by their path inside the content."""
    place = folder(services)
    if not place.is_dir():
        return {}
    return {
        name: file.path.read_text(encoding="utf-8")
        for name, file in find_files([place]).items()
        if not file.fault and name.name == file.path.name
    }


def loaded(services: Services, only: PurePosixPath | None = None) -> Loaded:
    """Return the content as it would be if all drafts, or one, were published."""
    found = texts(services)
    if only is not None:
        found = {name: text for name, text in found.items() if name == only}
    return load_with(services.settings.roots, found)
