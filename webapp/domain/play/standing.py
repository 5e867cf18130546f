"""Where a player stands at a level: kept right with each attempt that ends, each win.

Pages of a class read these rows instead of the attempts, of which there may be very
many. An attempt counts once it has ended, if it counts at all: see COUNTED.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from webapp.db import insert_missing
from webapp.rows import BLOCKED, COUNTED, Attempt, LevelState, Visit


def note_attempt(session: Session, visit: Visit, row: Attempt) -> None:
    """Take an attempt that has just ended into where its player stands.

    The first one is progress, and so is one that got past more guards than any other.
    """
    if row.status not in COUNTED:
        return
    state = _own_state(session, visit, at=row.created_at)
    passed = passed_guards(row.verdicts)
    if state.attempts == 0 or passed > state.furthest:
        state.progress_at = max(state.progress_at, row.created_at)
    state.attempts += 1
    state.blocked += row.status == BLOCKED
    state.furthest = max(state.furthest, passed)
    state.first_at = min(state.first_at, row.created_at)
    state.last_at = max(state.last_at, row.created_at)


def note_win(session: Session, visit: Visit, *, at: datetime) -> None:
    """Note a win as progress; whoever guessed without an attempt stands nowhere."""
    state = session.get(LevelState, _key(visit), with_for_update=True)
    if state is not None:
        state.progress_at = max(state.progress_at, at)


def passed_guards(verdicts: Iterable[Mapping[str, Any]]) -> int:
    """Return how many guards let a turn through."""
    return sum(bool(verdict["allowed"]) for verdict in verdicts)


def _own_state(session: Session, visit: Visit, *, at: datetime) -> LevelState:
    state = session.get(LevelState, _key(visit), with_for_update=True)
    if state is not None:
        return state
    player_id, level_id, season = _key(visit)
    # Two attempts of a player may end at the same moment.
    insert_missing(
        session,
        LevelState,
        player_id=player_id,
        level_id=level_id,
        season=season,
        attempts=0,
        blocked=0,
        furthest=0,
        first_at=at,
        last_at=at,
        progress_at=at,
    )
    return session.get_one(LevelState, _key(visit), with_for_update=True)


def _key(visit: Visit) -> tuple[int, str, int]:
    return visit.player_id, visit.level_id, visit.season
