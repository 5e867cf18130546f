"""Saving a draft, and what happens when somebody else was quicker.

A page sends back what it saw. If the file has changed since, on another page or on the
disk, nothing is written: both texts are shown, and the author decides.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from webapp.domain.services import Services
from webapp.domain.writing import versions
from webapp.domain.writing.files import (
    Texts,
    clean,
    digest,
    draft_path,
    drafts_folder,
    parse_name,
    texts_of,
)
from webapp.domain.writing.versions import DELETED, RESTORED, SAVED, DiffLine, What
from webapp.errors import Conflict, NotFound, StorageError
from webapp.files import write_whole

_LOCK: Final = ".lock"


class ChangedMeanwhile(Conflict):
    """Another text came in between. `yours` is not saved, and not lost."""

    code = "changed_meanwhile"

    def __init__(self, message: str, *, texts: Texts, yours: str) -> None:
        super().__init__(message)
        self.texts = texts
        self.yours = yours


@dataclass(frozen=True, slots=True)
class Both:
    """Two texts of one file, when two have written at once; None: it was deleted."""

    message: str
    theirs: str | None
    seen: str
    lines: tuple[DiffLine, ...]


def save(
    services: Services,
    *,
    author: str,
    name: str,
    text: str,
    seen: str,
    what: What = SAVED,
) -> Texts:
    """Keep a text as the draft of a file; return what the file says then.

    `seen` is what the page saw (`Texts.seen`). Raises ChangedMeanwhile if that is no
    longer so, and InvalidInput for a text that no file may have.
    """
    path = parse_name(name)
    cleaned = clean(text)
    with alone(services):
        before = texts_of(services, path)
        require_seen(services, path, before, seen, yours=cleaned)
        with services.db.write() as session:
            versions.keep_found(session, services, name=path, texts=before)
            if cleaned != before.newest or what == RESTORED or not before.is_own:
                versions.keep(
                    session,
                    services,
                    name=path,
                    what=what,
                    text=cleaned,
                    author=author,
                )
            _write_draft(services, path, cleaned, before)
    return texts_of(services, path)


def restore(
    services: Services, *, author: str, name: str, version_id: int, seen: str
) -> Texts:
    """Make an earlier version the draft of a file."""
    text = versions.version_text(services, parse_name(name), version_id)
    return save(services, author=author, name=name, text=text, seen=seen, what=RESTORED)


def discard(services: Services, *, author: str, name: str, seen: str) -> Texts:
    """Throw the draft of a file away; its text stays among the versions."""
    path = parse_name(name)
    with alone(services):
        before = texts_of(services, path)
        if before.draft is None:
            raise NotFound("This file has no draft.")
        require_seen(services, path, before, seen, yours=before.draft)
        with services.db.write() as session:
            versions.keep_found(session, services, name=path, texts=before)
            if before.published is None:
                versions.keep(
                    session,
                    services,
                    name=path,
                    what=DELETED,
                    text=None,
                    author=author,
                )
            remove_draft(services, path)
    return texts_of(services, path)


def require_seen(
    services: Services, path: PurePosixPath, now: Texts, seen: str, *, yours: str
) -> None:
    """Raise ChangedMeanwhile unless a file is still as a page saw it."""
    if now.seen == seen:
        return
    raise ChangedMeanwhile(
        _who_changed(services, path, now, seen), texts=now, yours=yours
    )


def both(error: ChangedMeanwhile) -> Both:
    """Return what a page shows when another text came in between."""
    theirs = error.texts.newest if error.texts.is_own else None
    lines = versions.diff(theirs or "", error.yours)
    return Both(error.message, theirs, error.texts.seen, lines)


@contextmanager
def alone(services: Services) -> Iterator[None]:
    """Let one at a time look at the files and write them, in all processes."""
    folder = drafts_folder(services)
    make_folder(folder)
    with (folder / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; raise StorageError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder.name} cannot be made: {error.strerror}. Nothing was "
            "changed."
        ) from error


def remove_draft(services: Services, path: PurePosixPath) -> None:
    """Delete a draft, and its folder if that was all in it."""
    remove(draft_path(services, path))


def remove(place: Path) -> None:
    """Delete a file, and its folder if that was all in it."""
    try:
        place.unlink(missing_ok=True)
        if place.parent.is_dir() and not any(place.parent.iterdir()):
            place.parent.rmdir()
    except OSError as error:
        raise StorageError(
            f"{place.name} cannot be deleted: {error.strerror}."
        ) from error


def _write_draft(
    services: Services, path: PurePosixPath, text: str, before: Texts
) -> None:
    if text == before.published:
        # Players see this text already.
        remove_draft(services, path)
        return
    place = draft_path(services, path)
    make_folder(place.parent)
    write_whole(place, text)


def _who_changed(services: Services, path: PurePosixPath, now: Texts, seen: str) -> str:
    if not now.is_own:
        return (
            "This file was deleted while you were writing. Your text is below and not "
            "saved yet. Save it again to bring the file back."
        )
    draft_seen = seen.partition(".")[0]
    is_draft = now.draft is not None and digest(now.draft)[:16] != draft_seen
    text = now.draft if is_draft else now.published
    author = versions.last_author(services, path, text)
    who = f"{author} saved" if author else "somebody changed, on the disk,"
    if not is_draft and author:
        who = f"{author} published or took back"
    return (
        f"While you were writing, {who} another text of this file. Your text is below "
        "and not saved yet: compare the two, take over what you need, and save again."
    )
