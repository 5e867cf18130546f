"""The limits of a class: its instructor sets them, and sees who uses what today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain import quotas
from webapp.domain.people import limits, roster
from webapp.domain.people.classes import ClassInfo, class_info
from webapp.domain.people.limits import COUNTED_AS, OWN, TOKENS
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.errors import InvalidInput
from webapp.rows import Player, SchoolClass
from webapp.settings import Settings

# The largest number that a column for numbers holds.
MOST = 2**31 - 1


class TooHigh(InvalidInput):
    """A limit that only an admin may set; `name` is the setting's."""

    code = "limit_too_high"

    def __init__(self, name: str, most: int) -> None:
        super().__init__(
            f"This may be at most {most:,}, which is the limit of the whole site. Only "
            "an admin can set a higher one."
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class Used:
    """How much of something was used, of how much."""

    used: int
    of: int

    @property
    def left(self) -> int:
        """What is left; 0 if the limit was lowered meanwhile."""
        return max(0, self.of - self.used)


@dataclass(frozen=True, slots=True)
class PlayerUse:
    """What a player has used today."""

    name: str
    attempts: Used
    runs: Used
    minutes: Used
    tokens: int


@dataclass(frozen=True, slots=True)
class LimitsPage:
    """The limits of a class, and its use of them: who uses most comes first."""

    info: ClassInfo
    own: Mapping[str, int]
    usual: Mapping[str, int]
    new_players: Used
    tokens: Used
    players: tuple[PlayerUse, ...]


def page(services: Services, *, actor: Actor, class_id: int) -> LimitsPage:
    """Return limits and use of a class; raise Forbidden for others' classes."""
    with services.db.read() as session:
        row = roster.require_class(session, actor, class_id)
        inside = limits.own_limits(session, services.settings, row.id)
        tokens = f"{TOKENS}:class:{row.id}"
        of_class = quotas.used_of_day(session, now=services.now(), scopes=[tokens])
        return LimitsPage(
            info=class_info(row),
            own={name: row.limits[name] for name in OWN if name in row.limits},
            usual={name: getattr(services.settings, name) for name in OWN},
            new_players=Used(
                limits.new_players(session, services, row.id),
                inside.sign_ups_per_hour,
            ),
            tokens=Used(of_class.get(tokens, 0), inside.tokens_per_day),
            players=_uses(session, services, row, inside),
        )


def set_limits(
    services: Services,
    *,
    actor: Actor,
    class_id: int,
    wanted: Mapping[str, int | None],
) -> None:
    """Give a class numbers of its own; None is the number of the whole site.

    Raise TooHigh where an instructor wants more than the site allows.
    """
    for name, number in wanted.items():
        usual = getattr(services.settings, name)
        most = MOST if actor.is_everywhere else usual
        if number is not None and number > most:
            raise TooHigh(name, most)
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id, lock=True)
        row.limits = {
            name: number for name, number in wanted.items() if number is not None
        }


def _uses(
    session: Session, services: Services, row: SchoolClass, inside: Settings
) -> tuple[PlayerUse, ...]:
    people = session.execute(
        select(Player.id, Player.name)
        .where(Player.class_id == row.id)
        .order_by(Player.name_key)
    ).all()
    scopes = [
        f"{what}:player:{one.id}" for one in people for what in COUNTED_AS.values()
    ]
    used = quotas.used_of_day(session, now=services.now(), scopes=scopes)

    def of(player_id: int, limit: str) -> Used:
        scope = f"{COUNTED_AS[limit]}:player:{player_id}"
        return Used(used.get(scope, 0), getattr(inside, limit))

    found = [
        PlayerUse(
            name=one.name,
            attempts=of(one.id, "attempts_per_day"),
            runs=of(one.id, "practices_per_day"),
            minutes=of(one.id, "training_minutes_per_day"),
            tokens=of(one.id, "tokens_per_day").used,
        )
        for one in people
    ]
    # A sort keeps the order by name of those who have used the same.
    return tuple(sorted(found, key=_amounts, reverse=True))


def _amounts(one: PlayerUse) -> tuple[int, ...]:
    return one.tokens, one.attempts.used, one.runs.used, one.minutes.used
