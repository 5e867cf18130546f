"""Guesses that were another player's secret: shown to instructors, with the odds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from webapp.domain.services import Services
from webapp.models import Guess, Player, Visit


@dataclass(frozen=True, slots=True)
class SharedGuess:
    """One such guess. `chance` is the probability that a random word does the same.

    It is evidence to ask about, never an accusation.
    """

    guesser: str
    owner: str
    level_id: str
    created_at: datetime
    chance: float


def shared_guesses(services: Services, *, limit: int = 100) -> tuple[SharedGuess, ...]:
    """Return the newest guesses that were the secret of another player's visit."""
    guesser, owner = aliased(Player), aliased(Player)
    query = (
        select(Guess, guesser.name, owner.name)
        .join(guesser, guesser.id == Guess.player_id)
        .join(Visit, Visit.id == Guess.matches_visit_id)
        .join(owner, owner.id == Visit.player_id)
        .order_by(Guess.id.desc())
        .limit(limit)
    )
    with services.db.read() as session:
        rows = session.execute(query).all()
        return tuple(
            SharedGuess(
                guesser=guesser_name,
                owner=owner_name,
                level_id=guess.level_id,
                created_at=guess.created_at,
                chance=_chance(session, services, guess),
            )
            for guess, guesser_name, owner_name in rows
        )


def _chance(session: Session, services: Services, guess: Guess) -> float:
    """Return 1 - (1 - 1/words)^visits: one word of the list against all others'."""
    index = services.content.current()
    words = len(index.words(index.level(guess.level_id).secret.words))
    others = session.scalar(
        select(func.count())
        .select_from(Visit)
        .where(Visit.level_id == guess.level_id, Visit.player_id != guess.player_id)
    )
    return float(1 - (1 - 1 / words) ** (others or 0))
