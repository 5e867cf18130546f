"""Messages that a person should know of, for those who teach the class."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, select, true

from webapp.domain.people import roster
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.domain.teach.covering import cover
from webapp.rows import (
    HELPED,
    IS_FLAGGED,
    IS_RUDE,
    LAB,
    REFUSED,
    RUDE,
    TRAIN,
    Attempt,
    Generation,
    Player,
    Practice,
    QuestionAnswer,
    SchoolClass,
)

SHOWN: Final = 50
_IS_RUDE_ONLY: Final = and_(IS_RUDE, ~IS_FLAGGED)


@dataclass(frozen=True, slots=True)
class Concern:
    """A message to look at; `status` says why: see HELPED, REFUSED and RUDE.

    The site answered the first two itself, and a model the rude ones. `message` is None
    for a rude one that gives away the password of a visit which goes on.
    """

    player_id: int
    name: str
    class_name: str
    at: datetime
    status: str
    message: str | None


def concerns(
    services: Services, *, actor: Actor, class_id: int | None = None
) -> tuple[Concern, ...]:
    """Return the newest such messages of the classes that somebody teaches.

    With `class_id`, of that class alone; none if they do not teach it. Rude messages
    never push those out that need a person.
    """
    taught = roster.taught(services, actor=actor)
    wanted = taught if class_id is None else taught & {class_id}
    found = [
        *_newest(services, wanted, IS_FLAGGED, QuestionAnswer.concern != RUDE),
        *_each_once(
            _newest(services, wanted, _IS_RUDE_ONLY, QuestionAnswer.concern == RUDE)
        ),
    ]
    return tuple(sorted(found, key=lambda concern: concern.at, reverse=True))


def _newest(
    services: Services,
    wanted: frozenset[int],
    said: ColumnElement[bool],
    answered: ColumnElement[bool],
) -> list[Concern]:
    found = [
        *_said(services, wanted, said, Attempt),
        *_said(services, wanted, said, Practice),
        *_said(services, wanted, said, Generation),
        *_answered(services, wanted, answered),
    ]
    found.sort(key=lambda concern: concern.at, reverse=True)
    return found[:SHOWN]


def _each_once(found: list[Concern]) -> list[Concern]:
    """Return the newest of equal ones: a comparison says the same to many models."""
    kept = {(one.player_id, one.message): one for one in reversed(found)}
    return list(kept.values())


def _said(
    services: Services,
    wanted: frozenset[int],
    said: ColumnElement[bool],
    kind: type[Generation],
) -> list[Concern]:
    """Return what was said at gates, typed in panels, or to a model elsewhere."""
    is_own_table = kind is not Generation
    query = (
        select(kind, Player, SchoolClass.name)
        .join(Player, Player.id == kind.player_id)
        .join(SchoolClass, SchoolClass.id == Player.class_id)
        .where(
            said,
            Player.class_id.in_(wanted),
            true() if is_own_table else kind.feature.in_((TRAIN, LAB)),
        )
        # By time, because no index has that: by id all rows would be walked through.
        .order_by(kind.created_at.desc())
        .limit(SHOWN)
    )
    with services.db.read() as session:
        found = session.execute(query).all()
        # Who needs a person is read in full, whatever else the message says.
        visits = [
            row.visit_id
            for row, *_ in found
            if isinstance(row, Attempt) and _why(row) == RUDE
        ]
        covered = cover(session, services, visits, has_replies=False)
        return [
            Concern(
                player.id,
                player.name,
                class_name,
                row.created_at,
                _why(row),
                None
                if isinstance(row, Attempt) and covered.hides(row.visit_id, row.message)
                else _message(row),
            )
            for row, player, class_name in found
        ]


def _why(row: Generation) -> str:
    return row.status if row.status in {HELPED, REFUSED} else RUDE


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


def _answered(
    services: Services, wanted: frozenset[int], answered: ColumnElement[bool]
) -> list[Concern]:
    """Return what was written in answer to questions of lessons."""
    query = (
        select(QuestionAnswer, Player, SchoolClass.name)
        .join(Player, Player.id == QuestionAnswer.player_id)
        .join(SchoolClass, SchoolClass.id == Player.class_id)
        .where(answered, Player.class_id.in_(wanted))
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
