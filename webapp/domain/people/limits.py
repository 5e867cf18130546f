"""The limits in force for a class: its own, and the settings where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain import quotas
from webapp.domain.people.classes import OPEN_CLASS
from webapp.domain.people.players import require_player
from webapp.domain.quotas import Limit, User
from webapp.domain.services import Services
from webapp.errors import Conflict, QuotaExceeded
from webapp.rows import PLAYER, Generation, Player, SchoolClass
from webapp.settings import Settings

SIGN_UPS: Final = "sign_ups_per_hour"
# The settings that a class may have numbers of its own for.
OWN: Final = (
    SIGN_UPS,
    "attempts_per_day",
    "practices_per_day",
    "tokens_per_day",
    "training_minutes_per_day",
)
# What is counted, as the counters and the sentences call it.
TOKENS: Final = "tokens"
MINUTES: Final = "minutes of training"
COUNTED_AS: Final = {
    "attempts_per_day": "attempts",
    "practices_per_day": "runs",
    "tokens_per_day": TOKENS,
    "training_minutes_per_day": MINUTES,
}
_HOUR: Final = timedelta(hours=1)


def own_limits(session: Session, settings: Settings, class_id: int) -> Settings:
    """Return the settings as they are in a class."""
    row = session.get(SchoolClass, class_id)
    own = {} if row is None else {k: v for k, v in row.limits.items() if k in OWN}
    return settings.but(**own) if own else settings


def of_player(services: Services, *, player_id: int) -> Settings:
    """Return the settings as they are in the class of a player."""
    with services.db.read() as session:
        player = require_player(session, player_id)
        return own_limits(session, services.settings, player.class_id)


def count_tokens(session: Session, services: Services, row: Generation) -> None:
    """Count what a model has read and written for a player and the player's class."""
    tokens = (row.prompt_tokens or 0) + (row.reply_tokens or 0)
    player = None if row.player_id is None else session.get(Player, row.player_id)
    if tokens and player is not None:
        quotas.count_up(
            session,
            now=services.now(),
            what=TOKENS,
            user=User(player.id, player.class_id),
            amount=tokens,
        )


def require_tokens(session: Session, services: Services, player: Player) -> None:
    """Raise QuotaExceeded if the models have done enough for a class on this day.

    Those who came without a join code have no class that could be full.
    """
    row = session.get_one(SchoolClass, player.class_id)
    if row.name == OPEN_CLASS and "tokens_per_day" not in row.limits:
        return
    most = own_limits(session, services.settings, row.id).tokens_per_day
    scope = f"{TOKENS}:class:{row.id}"
    used = quotas.used_of_day(session, now=services.now(), scopes=[scope])
    if used.get(scope, 0) >= most:
        limit = Limit("class", "day", most)
        raise quotas.exceeded(TOKENS, limit, services.now())


def require_joinable(
    session: Session, services: Services, school_class: SchoolClass
) -> None:
    """Raise Conflict if a class takes nobody new, QuotaExceeded if not just now."""
    if not school_class.is_joinable:
        raise Conflict(
            f"“{school_class.name}” takes nobody new at the moment. Ask your "
            "instructor to open it, or leave the class code empty.",
            code="join_closed",
        )
    most = school_class.limits.get(SIGN_UPS)
    if most is None:
        return
    # Whoever joins at the same moment is counted first.
    session.refresh(school_class, with_for_update={"key_share": True})
    arrived = _arrived(session, services, school_class.id)
    if len(arrived) >= most:
        oldest = min(arrived, default=services.now())
        wait = oldest + _HOUR - services.now()
        raise QuotaExceeded(
            f"“{school_class.name}” takes at most {most} new players in an hour. Wait "
            "a little, or ask your instructor.",
            scope="class/hour",
            retry_after=max(1, round(wait.total_seconds())),
        )


def new_players(session: Session, services: Services, class_id: int) -> int:
    """Return how many have joined a class by its code within the last hour."""
    return len(_arrived(session, services, class_id))


def _arrived(session: Session, services: Services, class_id: int) -> Sequence[datetime]:
    # Whom an instructor has added comes later than they were made.
    return session.scalars(
        select(Player.created_at).where(
            Player.class_id == class_id,
            Player.role == PLAYER,
            Player.created_at > services.now() - _HOUR,
            Player.came_at == Player.created_at,
        )
    ).all()
