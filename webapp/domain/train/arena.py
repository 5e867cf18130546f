"""The arena: how the models of the class stand by the votes of its players."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.services import Services
from webapp.domain.train import duels
from webapp.domain.train.duels import DuelView
from webapp.domain.train.fighters import Fighter, class_of, fighters, pairs_of
from webapp.domain.train.ratings import Rating, Vote, rate
from webapp.rows import EVEN, LEFT, RIGHT, Duel, SchoolClass

_SCORES: Final = {LEFT: 1.0, RIGHT: 0.0, EVEN: 0.5}


@dataclass(frozen=True, slots=True)
class Standing:
    """A model with its rating; None before the first vote on it."""

    fighter: Fighter
    rating: Rating | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How the votes on a pair went."""

    first: Fighter
    second: Fighter
    won: int
    lost: int
    even: int


@dataclass(frozen=True, slots=True)
class Arena:
    """The arena of a player: whose models, how they stand, and what is to be judged.

    `left` is how many pairs the player has not met yet. `votes` counts all.
    """

    class_name: str
    standings: tuple[Standing, ...]
    tallies: tuple[Tally, ...]
    duel: DuelView | None
    left: int
    votes: int


def arena(services: Services, *, player_id: int | None) -> Arena:
    """Return the arena as somebody sees it; a visitor sees what is public."""
    with services.db.read() as session:
        found = fighters(session, player_id)
        own_class = class_of(session, player_id)
        votes = _votes(session, found, own_class)
        name = "" if own_class is None else _class_name(session, own_class)
        pairs = pairs_of(found.values())
        duel, met = None, set()
        if player_id is not None:
            duel, met = (
                duels.open_duel(session, player_id),
                duels.met(session, player_id),
            )
        is_shown = duel is not None and duel.replies and duels.pair(duel) in pairs
        shown = (
            duels.duel_view(session, duel) if duel is not None and is_shown else None
        )
    ratings = {rating.model: rating for rating in rate(votes)}
    standings = [Standing(f, ratings.get(f.run.id)) for f in found.values()]
    return Arena(
        class_name=name,
        standings=tuple(sorted(standings, key=_rank)),
        tallies=_tallies(found, votes),
        duel=shown,
        left=len(pairs - met),
        votes=len(votes),
    )


def _class_name(session: Session, class_id: int) -> str:
    return session.get_one(SchoolClass, class_id).name


def _votes(
    session: Session, found: dict[int, Fighter], own_class: int | None
) -> tuple[Vote, ...]:
    """Return the votes on these models: those of the class, for who is in one."""
    query = select(Duel).where(Duel.verdict.in_(_SCORES))
    if own_class is not None:
        query = query.where(Duel.class_id == own_class)
    return tuple(
        Vote(left, right, _SCORES[duel.verdict or EVEN])
        for duel in session.scalars(query.order_by(Duel.id))
        for left, right in [duels.order(duel)]
        if left in found and right in found
    )


def _tallies(found: dict[int, Fighter], votes: Sequence[Vote]) -> tuple[Tally, ...]:
    scores: dict[tuple[int, int], list[float]] = {}
    for first, second, score in votes:
        if first < second:
            scores.setdefault((first, second), []).append(score)
        else:
            scores.setdefault((second, first), []).append(1 - score)
    tallies = [
        Tally(found[a], found[b], s.count(1.0), s.count(0.0), s.count(0.5))
        for (a, b), s in scores.items()
    ]
    return tuple(sorted(tallies, key=lambda t: -(t.won + t.lost + t.even)))


def _rank(standing: Standing) -> tuple[bool, int, int]:
    rating = standing.rating
    return (rating is None, -(rating.elo if rating else 0), standing.fighter.run.id)
