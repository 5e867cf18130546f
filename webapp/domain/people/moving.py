"""Moving to another class, with everything that counts in the present season."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.domain.people.names import take_names_along
from webapp.domain.people.players import class_season
from webapp.rows import LevelState, Player, SchoolClass, Visit


def move(session: Session, player: Player, school_class: SchoolClass) -> None:
    """Put a player into a class; raise Conflict if somebody there has the name.

    Each class counts its seasons itself. What is going on goes on in the new class's;
    wins of past seasons stay on the boards of the class in which they were won.
    """
    before = class_season(session, player)
    player.class_id = school_class.id
    take_names_along(session, player)
    if school_class.season != before:
        _change_season(session, player, before, school_class.season)


def _change_season(session: Session, player: Player, before: int, now: int) -> None:
    session.execute(
        update(Visit)
        .where(Visit.player_id == player.id, Visit.season == before)
        .values(season=now)
    )
    states = session.scalars(
        select(LevelState).where(
            LevelState.player_id == player.id, LevelState.season.in_((before, now))
        )
    ).all()
    kept = {state.level_id: state for state in states if state.season == now}
    for state in states:
        if state.season != before:
            continue
        other = kept.get(state.level_id)
        if other is None:
            state.season = now
            continue
        _add_up(other, state)
        session.delete(state)


def _add_up(kept: LevelState, more: LevelState) -> None:
    kept.attempts += more.attempts
    kept.blocked += more.blocked
    kept.furthest = max(kept.furthest, more.furthest)
    kept.first_at = min(kept.first_at, more.first_at)
    kept.last_at = max(kept.last_at, more.last_at)
    kept.progress_at = max(kept.progress_at, more.progress_at)
