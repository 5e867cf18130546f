"""The models of the arena: which of them somebody sees, and which pairs are theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.people import classes
from webapp.domain.people.players import require_player, shown_name
from webapp.domain.train import models
from webapp.domain.train.choices import GUARD
from webapp.domain.train.runs import RunView, view
from webapp.rows import CLASS, PUBLIC, Player, TrainedModel


@dataclass(frozen=True, slots=True)
class Fighter:
    """A model of the arena, and who made it."""

    run: RunView
    owner: str
    is_own: bool


def fighters(session: Session, player_id: int | None) -> dict[int, Fighter]:
    """Return the models that a player may see and that are shown to others, by id."""
    may = TrainedModel.visibility == PUBLIC
    own_class = class_of(session, player_id)
    if own_class is not None:
        may |= (TrainedModel.visibility == CLASS) & (Player.class_id == own_class)
    rows = session.execute(
        select(TrainedModel, Player)
        .join(Player, Player.id == TrainedModel.player_id)
        .where(may, TrainedModel.name.is_not(None), Player.is_hidden.is_(False))
        .where(TrainedModel.base != GUARD)
        .order_by(TrainedModel.id.desc())
        .limit(models.SHOWN)
    )
    return {
        row.id: Fighter(view(row), shown_name(owner), owner.id == player_id)
        for row, owner in rows
    }


def class_of(session: Session, player_id: int | None) -> int | None:
    """Return the class of a player; None for who has none, and for visitors."""
    if player_id is None:
        return None
    return classes.own_class(session, require_player(session, player_id))


def pairs_of(fighters: Iterable[Fighter]) -> set[tuple[int, int]]:
    """Return pairs of others' models: nobody judges what they made themselves."""
    others = sorted(f.run.id for f in fighters if not f.is_own)
    return set(combinations(others, 2))
