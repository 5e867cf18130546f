"""Bring a pack in: all of its files or none, and the old ones are kept as versions."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.services import Services
from webapp.domain.writing import packs
from webapp.domain.writing.packs import PackPlan
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.files import make_private, write_whole
from webapp.reading.problems import format_problem
from webapp.rows import ContentVersion

# What a pack waits for between the look at it and the yes.
KEPT_SECONDS: Final = 86_400
MOST_KEPT: Final = 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def keep(services: Services, data: bytes) -> str:
    """Keep a pack until somebody says yes; return the name it is found by.

    Raises InvalidInput if it is not one.
    """
    packs.read(data)
    folder = _folder(services)
    make_private(folder)
    now = services.now().timestamp()
    old = sorted(folder.glob("*.zip"), key=lambda path: path.stat().st_mtime)
    for number, path in enumerate(old, 1):
        is_old = path.stat().st_mtime < now - KEPT_SECONDS
        if is_old or number <= len(old) - MOST_KEPT + 1:
            path.unlink(missing_ok=True)
    digest = hashlib.sha256(data).hexdigest()
    write_whole(folder / f"{digest}.zip", data)
    return digest


def kept(services: Services, digest: str) -> PackPlan:
    """Return what a kept pack would do; raise NotFound if it is gone."""
    data = _kept_data(services, digest)
    return packs.plan(services.settings.roots, packs.read(data))


def bring_in(services: Services, data: bytes, *, author: str) -> PackPlan:
    """Write the files of a pack into the own content, all of them or none.

    Each text that is replaced is kept as a version. Raises InvalidInput if the pack
    would bring an error, StorageError if something cannot be written; then everything
    is as it was.
    """
    plan = packs.plan(services.settings.roots, packs.read(data))
    for problem in plan.problems:
        if problem.is_error:
            raise InvalidInput(
                f"Nothing was brought in, because the content would have an error: "
                f"{format_problem(problem)}"
            )
    changed = [line.path for line in plan.lines if line.change != "same"]
    root = services.settings.content
    old = {path: _old(root, path) for path in changed}
    done: list[PurePosixPath] = []
    try:
        with services.db.write() as session:
            for path in changed:
                was, text = old[path], plan.pack.texts[path].encode()
                if was is not None:
                    _note(session, services, path, was, "found", author)
                _note(session, services, path, text, "published", author)
            for path in changed:
                done.append(path)
                _put(root / path, plan.pack.texts[path])
    except BaseException:
        # Whatever it was: half a pack must not stay.
        for path in reversed(done):
            _restore(root / path, old[path])
        raise
    return plan


def bring_in_kept(services: Services, digest: str, *, author: str) -> PackPlan:
    """Bring in a pack that was kept, and forget it. Raises as `bring_in`."""
    plan = bring_in(services, _kept_data(services, digest), author=author)
    (_folder(services) / f"{digest}.zip").unlink(missing_ok=True)
    return plan


def _folder(services: Services) -> Path:
    return services.settings.instance / "packs"


def _kept_data(services: Services, digest: str) -> bytes:
    path = _folder(services) / f"{digest}.zip"
    if not _DIGEST.fullmatch(digest) or not path.is_file():
        raise NotFound("This pack is not here any more. Choose its file again.")
    return path.read_bytes()


def _old(root: Path, path: PurePosixPath) -> bytes | None:
    """Return what a file holds now; raise Conflict if a link leads elsewhere."""
    place = root / path
    if not place.resolve().is_relative_to(root.resolve()):
        raise Conflict(
            f"{path} is behind a link that leads out of the content. Replace the link "
            "first."
        )
    return place.read_bytes() if place.exists() else None


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)


def _restore(path: Path, old: bytes | None) -> None:
    if old is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, old)


def _note(
    session: Session,
    services: Services,
    path: PurePosixPath,
    text: bytes,
    what: str,
    author: str,
) -> None:
    """Keep a text as a version, unless it is the newest one already."""
    digest = hashlib.sha256(text).hexdigest()
    newest = session.scalar(
        select(ContentVersion.digest)
        .where(ContentVersion.path == str(path))
        .order_by(ContentVersion.id.desc())
        .limit(1)
    )
    if what == "found" and newest == digest:
        return
    session.add(
        ContentVersion(
            path=str(path),
            what=what,
            text=text.decode("utf-8", "replace"),
            digest=digest,
            author=author[:40],
            created_at=services.now(),
        )
    )
    session.flush()
