"""Guesses that were another player's secret: shown to instructors, with the odds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from webapp.content.wordlist import MIN_WORDS
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.rows import Guess, Player, Visit


@dataclass(frozen=True, slots=True)
class SharedGuess:
    """One such guess. `chance` is the probability that a random word does the same.

    It is evidence to ask about, never an accusation. `owner` is None for somebody of
    another class: their name is not for this one.
    """

    guesser: str
    owner: str | None
    level_id: str
    created_at: datetime
    chance: float


def shared_guesses(
    services: Services, *, class_id: int, limit: int = 100
) -> tuple[SharedGuess, ...]:
    """Return the newest guesses of a class that were another player's password."""
    guesser, owner = aliased(Player), aliased(Player)
    query = (
        select(Guess, guesser.name, owner.name, owner.class_id)
        .join(guesser, guesser.id == Guess.player_id)
        .join(Visit, Visit.id == Guess.matches_visit_id)
        .join(owner, owner.id == Visit.player_id)
        .where(guesser.class_id == class_id)
        .order_by(Guess.id.desc())
        .limit(limit)
    )
    with services.db.read() as session:
        rows = session.execute(query).all()
        if not rows:
            return ()
        visits = _count_visits(session, {row[0].player_id for row in rows})
    return tuple(
        SharedGuess(
            guesser=guesser_name,
            owner=owner_name if owner_class == class_id else None,
            level_id=guess.level_id,
            created_at=guess.created_at,
            chance=_chance(services, guess, visits),
        )
        for guess, guesser_name, owner_name, owner_class in rows
    )


# Visits by (level, player); the player None stands for all.
_Visits = dict[tuple[str, int | None], int]


def _count_visits(session: Session, players: set[int]) -> _Visits:
    counts: _Visits = {}
    per_level = select(Visit.level_id, func.count()).group_by(Visit.level_id)
    for level_id, count in session.execute(per_level):
        counts[level_id, None] = count
    own = (
        select(Visit.level_id, Visit.player_id, func.count())
        .where(Visit.player_id.in_(players))
        .group_by(Visit.level_id, Visit.player_id)
    )
    for level_id, player_id, count in session.execute(own):
        counts[level_id, player_id] = count
    return counts


def _chance(services: Services, guess: Guess, visits: _Visits) -> float:
    """Return 1 - (1 - 1/words)^visits: one word of the list against all others'."""
    level_id = guess.level_id
    others = visits.get((level_id, None), 0)
    others -= visits.get((level_id, guess.player_id), 0)
    return float(1 - (1 - 1 / _count_words(services, level_id)) ** others)


def _count_words(services: Services, level_id: str) -> int:
    index = services.content.current()
    try:
        return len(index.words(index.level(level_id).secret.words))
    except NotFound:
        # The level has left the content: no list is shorter than this.
        return MIN_WORDS
