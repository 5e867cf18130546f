"""Hints: opened one by one, paid from the points of the level once it is won."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.domain.people.players import require_player
from webapp.domain.play import visits
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.rows import PLAYER, HintUse


@dataclass(frozen=True, slots=True)
class HintView:
    """A hint as a player sees it: title and cost always, text once it is opened."""

    n: int
    title: str
    cost: int
    text: str | None


def take_hint(
    services: Services,
    *,
    player_id: int,
    level_id: str,
    n: int,
    visit: int | None = None,
) -> HintView:
    """Open hint `n` (from 1). Its cost comes off this level's points, never below 0.

    Opening it twice costs once; after the win, and for staff, it is free. Zero points
    never block it. While hints are closed, Forbidden (`closed`) says so.
    `visit` is the one that is meant: if it is over, VisitEnded says why.
    """
    index = services.content.current()
    level = index.level(level_id)
    if not 1 <= n <= len(level.hints):
        raise NotFound(
            f"“{level.title}” has {len(level.hints)} hints; there is no hint {n}."
        )
    hint = level.hints[n - 1]
    with (
        visits.ends_told(services, player_id=player_id, level=level),
        services.db.write() as session,
    ):
        player = require_player(session, player_id, lock=True)
        visits.require_meant(session, services, player=player, level=level, named=visit)
        held = visits.require_open(
            session, services, index=index, player_id=player_id, level=level
        )
        is_solved = level_id in visits.solved_levels(session, player_id)
        # Staff play outside the board, so there is nothing to pay with.
        cost = 0 if is_solved or player.role != PLAYER else hint.cost
        if session.get(HintUse, (player_id, level_id, n)) is None:
            held.require_hints()
            session.add(
                HintUse(
                    player_id=player_id,
                    level_id=level_id,
                    number=n,
                    cost=cost,
                    created_at=services.now(),
                )
            )
    return HintView(n, hint.title, cost, hint.text)


def hint_views(
    session: Session, *, player_id: int, level: Level, is_free: bool
) -> tuple[HintView, ...]:
    """Return all hints of a level as this player sees them; `is_free` after the win."""
    opened = set(
        session.scalars(
            select(HintUse.number).where(
                HintUse.player_id == player_id, HintUse.level_id == level.id
            )
        )
    )
    return tuple(
        HintView(
            n,
            hint.title,
            0 if is_free else hint.cost,
            hint.text if n in opened else None,
        )
        for n, hint in enumerate(level.hints, start=1)
    )
