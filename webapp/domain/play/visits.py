"""Visits: which conversation a player is in, with which secret, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.schema import Level
from webapp.db import find_row
from webapp.domain.people import rules
from webapp.domain.people.players import class_season, require_player
from webapp.domain.people.rules import Rules
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.rows import PLAYER, Player, Solve, Visit
from webapp.security import Passwords, Secret, passwords, word_digest

# How a page names the visit to come, when none has begun or it has told of the end.
NO_VISIT: Final = 0
# PostgreSQL counts rows in 32 bits, SQLite in 64; both refuse to compare with more.

END_NOTICES = {
    "win": "This gate is open. Talk to the warden again and it guards a new password.",
    "reset": "You started over: the warden now guards a new password.",
    "guesses": "Too many wrong guesses: the warden has changed the password.",
    "suspicion": "The warden grew too suspicious: a new visit, a new password.",
    "season": "A new season has begun: every password is new.",
    "words": "The list of passwords was edited: the warden now guards a new one.",
}

NOT_COUNTED: Final = (
    "What you sent was meant for the visit before, so nothing was counted. You can "
    "send it again now."
)


class VisitEnded(Conflict):
    """What was sent belongs to a visit that is over. It has not been counted."""

    code = "visit_ended"


def require_open(
    session: Session,
    services: Services,
    *,
    index: Index,
    player_id: int,
    level: Level,
    needs_person: bool = False,
) -> Rules:
    """Return what holds for a player; raise unless they may be at this level.

    Raises Forbidden (`locked`) unless all levels before are solved or an instructor has
    opened it, Forbidden (`closed`) where one has closed it, and NotFound for what only
    other classes see. Who `needs_person` is heard at a closed gate, too. Staff may look
    behind every gate.
    """
    held = rules.of_id(session, services, player_id)
    if is_staff(session, player_id):
        return held
    if not (needs_person and held.sees_level(index, level.id)):
        held.require_level(index, level)
    if not level.after or held.gate(level.id) is not None:
        return held
    solved = solved_levels(session, player_id)
    missing = [index.level(n).title for n in held.missing(index, level, solved)]
    if missing:
        raise Forbidden(
            f"“{level.title}” is still locked. First open: {', '.join(missing)}.",
            code="locked",
        )
    return held


def is_staff(session: Session, player_id: int) -> bool:
    """Tell whether somebody plays outside the board, with all gates open."""
    player = session.get(Player, player_id)
    return player is not None and player.role != PLAYER


def solved_levels(session: Session, player_id: int) -> dict[str, Solve]:
    """Return the player's solves of this season by level id."""
    solves = session.scalars(
        select(Solve).where(Solve.player_id == player_id, Solve.season.is_(None))
    )
    return {solve.level_id: solve for solve in solves}


def open_visit(session: Session, *, player_id: int, level_id: str) -> Visit | None:
    """Return the visit in progress, if there is one."""
    return session.scalar(
        select(Visit).where(
            Visit.player_id == player_id,
            Visit.level_id == level_id,
            Visit.ended_at.is_(None),
        )
    )


def end_reason(
    session: Session,
    services: Services,
    *,
    player: Player,
    level: Level,
    visit: Visit | None,
) -> str | None:
    """Return why no conversation is open; None if one is, or none has begun yet.

    An open visit of an earlier season, or with a word that has left the list, is over.
    """
    if visit is not None:
        return _outdated(services, visit, class_season(session, player), level)
    return session.scalar(
        select(Visit.ended_why)
        .where(Visit.player_id == player.id, Visit.level_id == level.id)
        .order_by(Visit.number.desc())
        .limit(1)
    )


@contextmanager
def ends_told(services: Services, *, player_id: int, level: Level) -> Iterator[None]:
    """Let something be done in a visit; an end that stops it is kept.

    So it is told once: what is sent next belongs to the visit that follows.
    """
    try:
        yield
    except VisitEnded:
        with services.db.write() as session:
            player = require_player(session, player_id, lock=True)
            visit = open_visit(session, player_id=player_id, level_id=level.id)
            if visit is not None:
                season = class_season(session, player)
                why = _outdated(services, visit, season, level)
                if why is not None:
                    end_visit(services, visit, why)
        raise


def require_meant(
    session: Session,
    services: Services,
    *,
    player: Player,
    level: Level,
    named: int | None,
) -> None:
    """Raise VisitEnded if what was sent belongs to a visit that is over.

    `named` is the id of the visit that the sender has seen. NO_VISIT is one yet to
    come; None is the one in progress, whichever that is.
    """
    if named == NO_VISIT:
        return
    visit = open_visit(session, player_id=player.id, level_id=level.id)
    if named is not None and (visit is None or visit.id != named):
        visit = _own_visit(session, player, level, named)
    if visit is None:
        return
    season = class_season(session, player)
    why = visit.ended_why or _outdated(services, visit, season, level)
    if why is not None:
        raise VisitEnded(f"{END_NOTICES[why]} {NOT_COUNTED}")


def current_visit(
    session: Session, services: Services, *, player: Player, level: Level
) -> Visit:
    """Return the visit in progress, or begin one.

    A visit of an earlier season, or whose word has left the list, ends here.
    """
    season = class_season(session, player)
    visit = open_visit(session, player_id=player.id, level_id=level.id)
    if visit is not None:
        why = _outdated(services, visit, season, level)
        if why is None:
            return visit
        end_visit(services, visit, why)
        session.flush()
    return _begin(session, services, player=player, level=level, season=season)


def visit_secret(services: Services, visit: Visit, level: Level) -> Secret:
    """Return the secret of a visit; raise Conflict if its word has left the list."""
    secret = _passwords(services, level).find(visit.secret_digest)
    if secret is None:
        raise Conflict(
            "The list of passwords was edited at this moment. Try that again.",
            code="words_edited",
        )
    return secret


def secret_digest(services: Services, level_id: str, word: str) -> str:
    """Return the keyed index value by which a word of a level is found again."""
    return word_digest(services.key, level_id, word)


def _passwords(services: Services, level: Level) -> Passwords:
    words = services.content.current().words(level.secret.words)
    return passwords(services.key, level.id, words)


def end_visit(services: Services, visit: Visit, why: str) -> None:
    """End a visit; the next message begins another one with another secret."""
    visit.ended_at = services.now()
    visit.ended_why = why


def reset(
    services: Services, *, player_id: int, level_id: str, visit: int | None = None
) -> None:
    """Give up the current conversation and its secret, if there is one.

    `visit` is the one that is meant, as for `require_meant`.
    """
    level = services.content.current().level(level_id)
    with (
        ends_told(services, player_id=player_id, level=level),
        services.db.write() as session,
    ):
        player = require_player(session, player_id, lock=True)
        require_meant(session, services, player=player, level=level, named=visit)
        index = services.content.current()
        require_open(session, services, index=index, player_id=player_id, level=level)
        row = open_visit(session, player_id=player_id, level_id=level_id)
        if row is not None:
            end_visit(services, row, "reset")


def _own_visit(session: Session, player: Player, level: Level, number: int) -> Visit:
    row = find_row(session, Visit, number)
    if row is None or (row.player_id, row.level_id) != (player.id, level.id):
        raise NotFound("You have no such visit at this gate.")
    return row


def _outdated(
    services: Services, visit: Visit, season: int, level: Level
) -> str | None:
    if visit.season != season:
        return "season"
    if _passwords(services, level).find(visit.secret_digest) is None:
        return "words"
    return None


def _begin(
    session: Session, services: Services, *, player: Player, level: Level, season: int
) -> Visit:
    newest = session.scalar(
        select(func.max(Visit.number)).where(
            Visit.player_id == player.id, Visit.level_id == level.id
        )
    )
    number = (newest or 0) + 1
    digest = _passwords(services, level).choose(player_id=player.id, visit=number)
    visit = Visit(
        player_id=player.id,
        level_id=level.id,
        number=number,
        season=season,
        secret_digest=digest,
        wrong_guesses=0,
        blocks=0,
        started_at=services.now(),
    )
    session.add(visit)
    session.flush()
    return visit
