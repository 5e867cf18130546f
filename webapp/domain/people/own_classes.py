"""What instructors do with the classes they look after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.db import find_row, insert_missing
from webapp.domain.people import accounts, classes, leftovers, moving, roster
from webapp.domain.people.classes import OPEN_CLASS, ClassInfo, class_info
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.errors import Conflict, InvalidInput
from webapp.rows import (
    PLAYER,
    Generation,
    Player,
    SchoolClass,
    Solve,
    Teaching,
    TrainedModel,
)

LET_IN: Final = "let an instructor in"
PUT_OUT: Final = "took the class from an instructor"


@dataclass(frozen=True, slots=True)
class Colleague:
    """An instructor, by the name that only one person has."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes when a class is deleted."""

    info: ClassInfo
    players: int
    prompts: int
    wins: int
    models: int


@dataclass(frozen=True, slots=True)
class ClassSettings:
    """A class, who looks after it, who else could, and what is in it."""

    contents: Contents
    teachers: tuple[Colleague, ...]
    others: tuple[Colleague, ...]
    is_open_class: bool

    @property
    def info(self) -> ClassInfo:
        """The class."""
        return self.contents.info


def settings_page(services: Services, *, actor: Actor, class_id: int) -> ClassSettings:
    """Return what can be changed in a class; raise Forbidden for others' classes."""
    with services.db.read() as session:
        row = roster.require_class(session, actor, class_id)
        teachers = frozenset(
            session.scalars(
                select(Teaching.player_id).where(Teaching.class_id == row.id)
            )
        )
        staff = session.scalars(
            select(Player).where(Player.role != PLAYER).order_by(Player.name_key)
        ).all()
        return ClassSettings(
            contents=_contents(session, row),
            teachers=tuple(_colleague(one) for one in staff if one.id in teachers),
            others=tuple(_colleague(one) for one in staff if one.id not in teachers),
            is_open_class=row.name == OPEN_CLASS,
        )


def info(services: Services, *, actor: Actor, class_id: int) -> ClassInfo:
    """Return a class that somebody teaches; raise Forbidden for any other."""
    with services.db.read() as session:
        return class_info(roster.require_class(session, actor, class_id))


def taught(services: Services, *, actor: Actor) -> tuple[ClassInfo, ...]:
    """Return the classes that somebody looks after, by name."""
    ids = roster.taught(services, actor=actor)
    return tuple(one for one in classes.classes(services) if one.id in ids)


def rename(services: Services, *, actor: Actor, class_id: int, name: str) -> None:
    """Give a class another name; raise Conflict if another class has it."""
    shown = classes.clean_class_name(name)
    try:
        with services.db.write() as session:
            row = roster.require_class(session, actor, class_id, lock=True)
            _require_own_name(row)
            classes.require_free_name(session, shown, class_id=row.id)
            row.name = shown
    except IntegrityError as error:
        raise classes.taken(shown) from error


def set_joinable(
    services: Services, *, actor: Actor, class_id: int, is_joinable: bool
) -> None:
    """Let new players join a class by its code, or no longer."""
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id, lock=True)
        row.is_joinable = is_joinable


def let_in(services: Services, *, actor: Actor, class_id: int, player_id: int) -> None:
    """Let another instructor look after a class, too."""
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id)
        colleague = find_row(session, Player, player_id)
        if colleague is None or colleague.role == PLAYER:
            raise InvalidInput("Choose one of the instructors in the list.")
        insert_missing(session, Teaching, class_id=row.id, player_id=colleague.id)
        roster.note_act(session, services, actor, colleague, LET_IN, class_id=row.id)


def put_out(services: Services, *, actor: Actor, class_id: int, player_id: int) -> None:
    """Let an instructor look after a class no longer; somebody has to stay."""
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id, lock=True)
        teaching = session.get(Teaching, (row.id, player_id))
        if teaching is None:
            return
        number = session.scalar(
            select(func.count())
            .select_from(Teaching)
            .where(Teaching.class_id == row.id)
        )
        if number == 1 and not actor.is_everywhere:
            raise Conflict(
                "Somebody has to look after the class. Add another instructor first."
            )
        session.delete(teaching)
        gone = session.get_one(Player, player_id)
        roster.note_act(session, services, actor, gone, PUT_OUT, class_id=row.id)


def remove(services: Services, *, actor: Actor, class_id: int) -> None:
    """Delete a class, its players and everything kept about them, permanently.

    Instructors who play in it stay, without a class.
    """
    with services.db.write() as session:
        row = roster.require_class(session, actor, class_id, lock=True)
        _require_own_name(row)
        members = session.scalars(
            select(Player).where(Player.class_id == row.id).with_for_update()
        ).all()
        players = [one for one in members if one.role == PLAYER]
        left = leftovers.of_players(session, [one.id for one in players])
        for one in members:
            if one.role != PLAYER:
                home = classes.class_for(session, services, None)
                moving.move(session, one, home)
        accounts.forget(session, players)
        session.flush()
        session.delete(row)
    services.db.wipe()
    leftovers.clear(services, left)


def _require_own_name(row: SchoolClass) -> None:
    if row.name == OPEN_CLASS:
        raise Conflict(
            f"“{OPEN_CLASS}” is for everybody who comes without a class code, so it "
            "keeps its name and cannot be deleted."
        )


def _contents(session: Session, row: SchoolClass) -> Contents:
    ids = select(Player.id).where(Player.class_id == row.id, Player.role == PLAYER)
    counts = {
        table: session.scalar(
            select(func.count()).select_from(table).where(table.player_id.in_(ids))
        )
        or 0
        for table in (Generation, Solve, TrainedModel)
    }
    players = session.scalar(select(func.count()).select_from(ids.subquery()))
    return Contents(
        info=class_info(row),
        players=players or 0,
        prompts=counts[Generation],
        wins=counts[Solve],
        models=counts[TrainedModel],
    )


def _colleague(player: Player) -> Colleague:
    return Colleague(player.id, player.name)
