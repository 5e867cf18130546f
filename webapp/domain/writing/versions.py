"""Every text that a file has had, and what is different between two of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.services import Services
from webapp.domain.writing.files import Texts, digest
from webapp.errors import NotFound
from webapp.rows import ContentVersion

SAVED: Final = "saved"
PUBLISHED: Final = "published"
RESTORED: Final = "restored"
FOUND: Final = "found"
DELETED: Final = "deleted"
What = Literal["saved", "published", "restored", "found", "deleted"]

SHOWN: Final = 100
# Comparing takes time with the product of the lines; above this it is not tried.
_MOST_PAIRS: Final = 4_000_000
_AROUND: Final = 3


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version in the list of a file; `author` is empty for a change on the disk."""

    id: int
    what: str
    author: str
    created_at: datetime
    has_text: bool


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference: `+` is new, `-` is gone, blank is in both, `@` a gap.

    `number` is that of the line in the text that has it; 0 for a gap.
    """

    mark: Literal["+", "-", " ", "@"]
    text: str
    number: int


def keep(
    session: Session,
    services: Services,
    *,
    name: PurePosixPath,
    what: What,
    text: str | None,
    author: str,
) -> None:
    """Write down that a file has this text now."""
    session.add(
        ContentVersion(
            path=str(name),
            what=what,
            text=text,
            digest=digest(text),
            author=author,
            created_at=services.now(),
        )
    )


def keep_found(
    session: Session, services: Services, *, name: PurePosixPath, texts: Texts
) -> None:
    """Write down what is on the disk and came there by other means than this page."""
    for text in (texts.published, texts.draft):
        if text is None:
            continue
        known = select(ContentVersion.id).where(
            ContentVersion.path == str(name), ContentVersion.digest == digest(text)
        )
        if session.scalar(known.limit(1)) is None:
            keep(session, services, name=name, what=FOUND, text=text, author="")
            session.flush()


def versions(services: Services, name: PurePosixPath) -> tuple[VersionLine, ...]:
    """Return the last versions of a file, newest first."""
    row = ContentVersion
    query = (
        select(row.id, row.what, row.author, row.created_at, row.text.is_not(None))
        .where(row.path == str(name))
        .order_by(row.id.desc())
        .limit(SHOWN)
    )
    with services.db.read() as session:
        return tuple(VersionLine(*found) for found in session.execute(query))


def last_author(services: Services, name: PurePosixPath, text: str | None) -> str:
    """Return who brought a text about; empty if it was changed on the disk."""
    row = ContentVersion
    query = (
        select(row.author)
        .where(row.path == str(name), row.digest == digest(text))
        .order_by(row.id.desc())
        .limit(1)
    )
    with services.db.read() as session:
        return session.scalar(query) or ""


def version_text(services: Services, name: PurePosixPath, version_id: int) -> str:
    """Return the text of a version; raise NotFound."""
    with services.db.read() as session:
        row = find_row(session, ContentVersion, version_id)
        if row is None or row.path != str(name) or row.text is None:
            raise NotFound("This file has no such version.")
        return row.text


def diff(old: str, new: str) -> tuple[DiffLine, ...]:
    """Return what is different, with some lines around each change."""
    before, after = old.splitlines(), new.splitlines()
    begin = _alike(before, after)
    end = _alike(before[begin:][::-1], after[begin:][::-1])
    # What both have in front and behind need not be compared, but for the lines shown.
    first = max(0, begin - _AROUND)
    cut = max(0, end - _AROUND)
    shorter = before[first : len(before) - cut], after[first : len(after) - cut]
    if shorter[0] == shorter[1]:
        return ()
    if len(shorter[0]) * len(shorter[1]) > _MOST_PAIRS:
        return (*_all("-", shorter[0], first), *_all("+", shorter[1], first))
    return tuple(_compared(*shorter, first))


def _alike(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _all(mark: Literal["+", "-"], lines: list[str], first: int) -> Iterator[DiffLine]:
    for number, line in enumerate(lines, first + 1):
        yield DiffLine(mark, line, number)


def _compared(before: list[str], after: list[str], first: int) -> Iterator[DiffLine]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for count, group in enumerate(matcher.get_grouped_opcodes(_AROUND)):
        if count:
            yield DiffLine("@", "", 0)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for at in range(j1, j2):
                    yield DiffLine(" ", after[at], first + at + 1)
                continue
            for at in range(i1, i2):
                yield DiffLine("-", before[at], first + at + 1)
            for at in range(j1, j2):
                yield DiffLine("+", after[at], first + at + 1)
