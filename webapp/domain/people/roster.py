"""What instructors do for the players of their classes, each act with its line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists, false, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.db import insert_missing
from webapp.domain.people import access, accounts, leftovers, moving
from webapp.domain.people.accounts import NewCode, PlayerInfo
from webapp.domain.people.classes import ClassInfo, class_id_of, class_info
from webapp.domain.people.names import clean_name, take_name
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden, InvalidInput, NotFound
from webapp.rows import (
    ADMIN,
    PLAYER,
    ClassAct,
    Player,
    SchoolClass,
    Teaching,
)
from webapp.text.names import name_key

ACTS_SHOWN: Final = 50
NOT_YOURS: Final = "This belongs to no class that you teach."
RENAMED, ALIAS_CHANGED = "changed the nickname", "changed the leaderboard name"
HIDDEN, SHOWN = "took off the leaderboard", "put back on the leaderboard"
NEW_CODE, REMOVED = "gave a new recovery code", "removed a player"
MOVED, MOVED_HERE = "moved to another class", "moved into this class"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it: an instructor, an admin, or the command line (without an id)."""

    name: str
    player_id: int | None = None
    is_everywhere: bool = True


COMMAND: Final = Actor("the command line")


@dataclass(frozen=True, slots=True)
class Member:
    """A player as the instructor of the class sees them."""

    id: int
    class_id: int
    name: str
    alias: str | None
    is_listed: bool
    is_hidden: bool
    has_password: bool
    created_at: datetime
    came_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What was done, by whom, and to whom: None if that player is gone."""

    at: datetime
    actor: str
    what: str
    whom: str | None


@dataclass(frozen=True, slots=True)
class ClassPage:
    """A class with its players by name, and what was done last, newest first."""

    info: ClassInfo
    members: tuple[Member, ...]
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Who has come into a class: the last first, and how many have not come yet."""

    info: ClassInfo
    names: tuple[str, ...]
    number: int
    awaited: int


def actor_of(player: PlayerInfo) -> Actor:
    """Return an instructor as one who acts in the classes they teach, or everywhere."""
    return Actor(player.name, player.id, player.role == ADMIN)


def taught(services: Services, *, actor: Actor) -> frozenset[int]:
    """Return the ids of the classes in which somebody may act."""
    with services.db.read() as session:
        wanted = select(SchoolClass.id).where(_is_taught(actor))
        return frozenset(session.scalars(wanted))


def class_page(services: Services, *, actor: Actor, class_id: int) -> ClassPage:
    """Return a class that somebody teaches; raise Forbidden for any other."""
    with services.db.read() as session:
        row = require_class(session, actor, class_id)
        members = session.scalars(
            select(Player)
            .where(Player.class_id == class_id, Player.role == PLAYER)
            .order_by(Player.name_key)
        )
        return ClassPage(
            class_info(row),
            tuple(_member(player) for player in members),
            _acts(session, class_id),
        )


def arrivals(services: Services, *, actor: Actor, class_id: int, most: int) -> Arrivals:
    """Return who has come into a class, without those who are hidden."""
    with services.db.read() as session:
        row = require_class(session, actor, class_id)
        people = session.execute(
            select(Player.name, Player.came_at, Player.is_hidden)
            .where(Player.class_id == row.id, Player.role == PLAYER)
            .order_by(Player.came_at.desc(), Player.id.desc())
        ).all()
    there = [one for one in people if one.came_at is not None]
    names = [one.name for one in there if not one.is_hidden]
    return Arrivals(
        class_info(row), tuple(names[:most]), len(there), len(people) - len(there)
    )


def member(services: Services, *, actor: Actor, player_id: int) -> Member:
    """Return a player of a class that somebody teaches; Forbidden for any other."""
    with services.db.read() as session:
        return _member(require_player(session, actor, player_id))


def require_class(
    session: Session, actor: Actor, class_id: int, *, lock: bool = False
) -> SchoolClass:
    """Return a class that somebody teaches.

    Raise Forbidden for any other, whether or not there is one: nothing is told.
    """
    query = select(SchoolClass).where(
        _has_id(SchoolClass.id, class_id), _is_taught(actor)
    )
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise Forbidden(NOT_YOURS)
    return row


def require_player(session: Session, actor: Actor, player_id: int) -> Player:
    """Return a player whom somebody may change, and no other writer meanwhile.

    Raise Forbidden for any other, whether or not there is one: nothing is told.
    """
    player = session.scalar(
        select(Player)
        .join(SchoolClass, SchoolClass.id == Player.class_id)
        .where(_has_id(Player.id, player_id), _is_taught(actor), _may_be_changed(actor))
        .with_for_update(of=Player)
    )
    if player is None:
        raise Forbidden(NOT_YOURS)
    return player


def find(services: Services, *, name: str, class_name: str | None = None) -> int:
    """Return the id of the one player with a nickname; else NotFound or Conflict."""
    query = select(Player.id).where(Player.name_key == name_key(name))
    with services.db.read() as session:
        if class_name is not None:
            query = query.where(Player.class_id == class_id_of(session, class_name))
        ids = session.scalars(query.limit(2)).all()
    where = f' in the class "{class_name}"' if class_name else ""
    if not ids:
        raise NotFound(f'Nobody is called "{name}"{where}.')
    if len(ids) > 1:
        raise Conflict(f'Several are called "{name}": say which with --class NAME.')
    return ids[0]


def rename(services: Services, *, actor: Actor, player_id: int, name: str) -> None:
    """Give a player another nickname; raise Conflict if somebody there has it."""
    shown, key = clean_name(name)
    with services.db.write() as session:
        player = require_player(session, actor, player_id)
        player.name, player.name_key = shown, key
        take_name(session, player, shown)
        note_act(session, services, actor, player, RENAMED)


def set_alias(services: Services, *, actor: Actor, player_id: int, alias: str) -> None:
    """Give a player another name on the leaderboard; empty: the nickname.

    Raise Conflict if somebody there has it.
    """
    shown = clean_name(alias)[0] if alias.strip() else None
    with services.db.write() as session:
        player = require_player(session, actor, player_id)
        player.alias = shown
        take_name(session, player, shown)
        note_act(session, services, actor, player, ALIAS_CHANGED)


def hide(services: Services, *, actor: Actor, player_id: int, is_hidden: bool) -> None:
    """Take a player off all boards, or put them back."""
    with services.db.write() as session:
        player = require_player(session, actor, player_id)
        player.is_hidden = is_hidden
        note_act(session, services, actor, player, HIDDEN if is_hidden else SHOWN)


def give_code(services: Services, *, actor: Actor, player_id: int) -> NewCode:
    """Replace a lost recovery code; all sign-ins and tokens of the player end."""
    with services.db.write() as session:
        player = require_player(session, actor, player_id)
        access.renew(session, player)
        note_act(session, services, actor, player, NEW_CODE)
        return accounts.give_code(services, player)


def remove(services: Services, *, actor: Actor, player_id: int) -> None:
    """Delete a player and everything kept about them, permanently."""
    with services.db.write() as session:
        player = require_player(session, actor, player_id)
        note_act(session, services, actor, player, REMOVED)
        session.flush()
        left = leftovers.of_players(session, [player.id])
        accounts.forget(session, [player])
    services.db.wipe()
    leftovers.clear(services, left)


def move(services: Services, *, actor: Actor, player_id: int, class_id: int) -> str:
    """Move a player to another class of the same instructor; return its name.

    Everything comes along. Raise Conflict if somebody there has the name.
    """
    with services.db.write() as session:
        player = require_player(session, actor, player_id)
        school_class = require_class(session, actor, class_id)
        if player.class_id == school_class.id:
            raise Conflict(f"“{player.name}” is in “{school_class.name}” already.")
        note_act(session, services, actor, player, MOVED)
        name, to = player.name, school_class.name
        try:
            moving.move(session, player, school_class)
        except Conflict as error:
            raise Conflict(
                f"In “{to}”, somebody has the name “{name}” or "
                "its name on the leaderboard, or one that looks the same. Change it "
                "here first, then move the player."
            ) from error
        note_act(session, services, actor, player, MOVED_HERE)
        return to


def set_teaching(
    services: Services, *, class_name: str, player_id: int, is_teaching: bool
) -> None:
    """Let an instructor look after a class, or no longer."""
    with services.db.write() as session:
        class_id = class_id_of(session, class_name)
        if class_id is None:
            raise NotFound(f'There is no class named "{class_name}".')
        player = session.get_one(Player, player_id)
        if player.role == PLAYER:
            raise InvalidInput(
                f'"{player.name}" is a player. Only instructors can look after a class.'
            )
        if is_teaching:
            insert_missing(session, Teaching, class_id=class_id, player_id=player_id)
            return
        found = session.get(Teaching, (class_id, player_id))
        if found is not None:
            session.delete(found)


def _is_taught(actor: Actor) -> ColumnElement[bool]:
    if actor.is_everywhere:
        return true()
    return exists().where(
        Teaching.class_id == SchoolClass.id, Teaching.player_id == actor.player_id
    )


def _may_be_changed(actor: Actor) -> ColumnElement[bool]:
    """Instructors look after players, not after each other."""
    return true() if actor.is_everywhere else Player.role == PLAYER


def _has_id(column: InstrumentedAttribute[int], number: int) -> ColumnElement[bool]:
    # PostgreSQL counts rows in 32 bits and refuses to compare with more.
    return column == number if 0 < number < 2**31 else false()


def note_act(
    session: Session,
    services: Services,
    actor: Actor,
    player: Player | None,
    what: str,
    *,
    class_id: int | None = None,
) -> None:
    """Add a line to what was done in a class: by default, that of the player."""
    session.add(
        ClassAct(
            class_id=class_id or (player and player.class_id),
            player_id=player and player.id,
            actor=actor.name,
            what=what,
            created_at=services.now(),
        )
    )


def _acts(session: Session, class_id: int) -> tuple[Act, ...]:
    rows = session.execute(
        select(ClassAct, Player.name)
        .outerjoin(Player, Player.id == ClassAct.player_id)
        .where(ClassAct.class_id == class_id)
        .order_by(ClassAct.id.desc())
        .limit(ACTS_SHOWN)
    )
    return tuple(Act(act.created_at, act.actor, act.what, name) for act, name in rows)


def _member(player: Player) -> Member:
    return Member(
        id=player.id,
        class_id=player.class_id,
        name=player.name,
        alias=player.alias,
        is_listed=player.is_listed,
        is_hidden=player.is_hidden,
        has_password=player.password_hash is not None,
        created_at=player.created_at,
        came_at=player.came_at,
    )
