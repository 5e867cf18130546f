"""What a teacher may not read yet: the password of a visit that still goes on.

It is the student's alone until the visit is over. A text that gives it away, in plain
words or to a reader who puts it together, is covered until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.play import visits
from webapp.domain.play.reader import Reader
from webapp.domain.play.winning import reader_of, replies_read
from webapp.domain.services import Services
from webapp.errors import Conflict, NotFound
from webapp.rows import Visit
from webapp.security import Secret
from webapp.text.words import normalise_guess


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visit that goes on. `secret` is None where it cannot be told: cover it all."""

    secret: Secret | None
    reader: Reader
    # Replies that do not give it away one by one do so together.
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Cover:
    """Covers texts of visits that go on."""

    open_visits: Mapping[int, OpenVisit] = field(default_factory=dict)

    def is_open(self, visit_id: int) -> bool:
        """Say whether a visit goes on."""
        return visit_id in self.open_visits

    def hides(self, visit_id: int, text: str | None) -> bool:
        """Say whether a text must not be read by others yet."""
        visit = self.open_visits.get(visit_id)
        return visit is not None and bool(text) and _gives_away(visit, text or "")

    def hides_reply(self, visit_id: int, reply: str | None) -> bool:
        """Say whether a reply must not; what all replies tell together counts, too."""
        visit = self.open_visits.get(visit_id)
        if visit is None or not reply:
            return False
        return visit.is_told or _gives_away(visit, reply)


def cover(
    session: Session,
    services: Services,
    visit_ids: Iterable[int],
    *,
    has_replies: bool = True,
) -> Cover:
    """Return what covers texts of these visits; without replies it asks less."""
    rows = session.scalars(
        select(Visit).where(Visit.id.in_(set(visit_ids)), Visit.ended_at.is_(None))
    ).all()
    return Cover({row.id: _open(session, services, row, has_replies) for row in rows})


def _open(
    session: Session, services: Services, visit: Visit, has_replies: bool
) -> OpenVisit:
    index = services.content.current()
    try:
        level = index.level(visit.level_id)
        secret = visits.visit_secret(services, visit, level)
        reader = reader_of(index.words(level.secret.words))
    except (Conflict, NotFound):
        return OpenVisit(None, reader_of(()))
    if not has_replies:
        return OpenVisit(secret, reader)
    bare = OpenVisit(secret, reader)
    replies = [row.reply or "" for row in replies_read(session, visit.id)]
    others = [reply for reply in replies if not _gives_away(bare, reply)]
    return OpenVisit(secret, reader, is_told=reader.names(others, secret))


def _gives_away(visit: OpenVisit, text: str) -> bool:
    if visit.secret is None:
        return True
    word = normalise_guess(visit.secret.reveal())
    return word in normalise_guess(text) or visit.reader.names([text], visit.secret)
