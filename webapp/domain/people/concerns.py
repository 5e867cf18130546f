"""Messages that a person should know of, for those who teach the class."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, true

from webapp.domain.people import roster
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.rows import (
    IS_FLAGGED,
    LAB,
    TRAIN,
    Attempt,
    Generation,
    Player,
    Practice,
    QuestionAnswer,
    SchoolClass,
)

SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Concern:
    """A message that the site answered itself; `status` says why."""

    player_id: int
    name: str
    class_name: str
    at: datetime
    status: str
    message: str


def concerns(
    services: Services, *, actor: Actor, class_id: int | None = None
) -> tuple[Concern, ...]:
    """Return the newest such messages of the classes that somebody teaches.

    With `class_id`, of that class alone; none if they do not teach it.
    """
    taught = roster.taught(services, actor=actor)
    wanted = taught if class_id is None else taught & {class_id}
    found = [
        *_said(services, wanted, Attempt),
        *_said(services, wanted, Practice),
        *_said(services, wanted, Generation),
        *_answered(services, wanted),
    ]
    found.sort(key=lambda concern: concern.at, reverse=True)
    return tuple(found[:SHOWN])


def _said(
    services: Services, wanted: frozenset[int], kind: type[Generation]
) -> list[Concern]:
    """Return what was said at gates, typed in panels, or to a model elsewhere."""
    is_own_table = kind is not Generation
    query = (
        select(kind, Player, SchoolClass.name)
        .join(Player, Player.id == kind.player_id)
        .join(SchoolClass, SchoolClass.id == Player.class_id)
        .where(
            IS_FLAGGED,
            Player.class_id.in_(wanted),
            true() if is_own_table else kind.feature.in_((TRAIN, LAB)),
        )
        .order_by(kind.id.desc())
        .limit(SHOWN)
    )
    with services.db.read() as session:
        return [
            Concern(
                player.id,
                player.name,
                class_name,
                row.created_at,
                row.status,
                _message(row),
            )
            for row, player, class_name in session.execute(query)
        ]


def _message(row: Generation) -> str:
    if isinstance(row, Attempt):
        return row.message
    if isinstance(row, Practice):
        return "\n".join(map(str, row.typed.values()))
    if isinstance(row.prompt, list) and row.feature == LAB:
        # Any of the messages may have been changed, or what stands before them.
        said = (one["content"] for one in row.prompt if one["role"] != "assistant")
        return "\n".join(map(str, said))
    if isinstance(row.prompt, list):
        return "\n".join(str(one["content"]) for one in row.prompt[-1:])
    return str(row.prompt or "")


def _answered(services: Services, wanted: frozenset[int]) -> list[Concern]:
    """Return what was written in answer to questions of lessons."""
    query = (
        select(QuestionAnswer, Player, SchoolClass.name)
        .join(Player, Player.id == QuestionAnswer.player_id)
        .join(SchoolClass, SchoolClass.id == Player.class_id)
        .where(QuestionAnswer.concern.is_not(None), Player.class_id.in_(wanted))
        .order_by(QuestionAnswer.answered_at.desc())
        .limit(SHOWN)
    )
    with services.db.read() as session:
        return [
            Concern(
                player.id,
                player.name,
                class_name,
                row.answered_at,
                row.concern or "",
                str(row.answer),
            )
            for row, player, class_name in session.execute(query)
        ]
