"""Drafts: texts that nobody sees but those who write them."""

from __future__ import annotations

from pathlib import PurePosixPath

from webapp.content.check import load_all
from webapp.content.loader import Loaded, load
from webapp.content.overlay import load_with
from webapp.domain.services import Services
from webapp.domain.writing.files import (
    draft_path,
    drafts_folder,
    names_in,
    other_roots,
    read_text,
)
from webapp.domain.writing.saving import make_folder
from webapp.errors import InvalidInput


def texts(services: Services) -> dict[PurePosixPath, str | None]:
    """Return all drafts by their names; one that is not text is passed over."""
    found: dict[PurePosixPath, str | None] = {}
    for name in names_in((drafts_folder(services),)):
        try:
            text = read_text(draft_path(services, name))
        except InvalidInput:
            continue
        if text is not None:
            found[name] = text
    return found


def loaded(services: Services, only: PurePosixPath | None = None) -> Loaded:
    """Load the content as it would be with all drafts, or with those of one thing.

    A level comes with the drafts of its ladder, a lesson with its track: without them,
    neither could be read.
    """
    drafts = texts(services)
    if only is not None:
        drafts = {name: drafts[name] for name in drafts if _belongs(name, only)}
    return load_changed(services, drafts)


def load_changed(
    services: Services, changes: dict[PurePosixPath, str | None]
) -> Loaded:
    """Load the content as it would be with some texts published."""
    own = services.settings.content
    make_folder(own)
    # What is between the lists of words takes longest, and only they change it.
    has_words = any(name.parts[0] == "words" for name in changes)
    read = load_all if has_words else load
    return load_with((*other_roots(services), own), changes, read)


def _belongs(name: PurePosixPath, to: PurePosixPath) -> bool:
    if name == to:
        return True
    if name.parent != to.parent or to.parts[0] not in {"game", "lessons"}:
        return False
    return to.parts[0] == "game" or name.name == "track.yaml"
