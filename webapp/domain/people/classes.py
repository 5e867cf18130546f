"""Classes: their join codes and seasons."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.db import insert_missing
from webapp.domain.people.names import clean_line
from webapp.domain.services import Services
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import Player, SchoolClass, Solve, Teaching
from webapp.security import new_code, normalise_code
from webapp.text.names import looks, name_key

OPEN_CLASS = "Open keep"
CLASS_CHARS = 80


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class as its instructor sees it."""

    id: int
    name: str
    join_code: str
    season: int
    is_joinable: bool = True


def add_class(
    services: Services, *, name: str, teacher_id: int | None = None
) -> ClassInfo:
    """Make a class with a fresh join code; raise Conflict if the name is taken.

    `teacher_id` is the instructor who looks after it from the start.
    """
    shown = clean_class_name(name)
    try:
        with services.db.write() as session:
            require_free_name(session, shown)
            row = _new_class(session, services, shown)
            if teacher_id is not None:
                session.add(Teaching(class_id=row.id, player_id=teacher_id))
            return class_info(row)
    except IntegrityError as error:
        raise taken(shown) from error


def clean_class_name(name: str) -> str:
    """Return the name of a class as it is shown, or raise InvalidInput."""
    return clean_line(name, what="class name", fewest=2, most=CLASS_CHARS)


def require_free_name(
    session: Session, name: str, *, class_id: int | None = None
) -> None:
    """Raise Conflict if another class than this one has such a name."""
    others = select(SchoolClass.name).where(SchoolClass.id != (class_id or 0))
    for other in (OPEN_CLASS, *session.scalars(others)):
        if looks(other) & looks(name):
            raise taken(other)


def taken(name: str) -> Conflict:
    """Return what to say when a class has this name."""
    return Conflict(f'There is already a class named "{name}".')


def start_season(services: Services, *, name: str) -> ClassInfo:
    """Begin a new season of a class: visits, gates and points start again.

    What was won stays on the board of the past season.
    """
    with services.db.write() as session:
        found = class_id_of(session, name)
        if found is None:
            raise NotFound(f'There is no class named "{name}".')
        school_class = session.get_one(SchoolClass, found, with_for_update=True)
        session.execute(
            update(Solve)
            .where(
                Solve.season.is_(None),
                Solve.player_id.in_(
                    select(Player.id).where(Player.class_id == school_class.id)
                ),
            )
            .values(season=school_class.season, class_id=school_class.id)
        )
        school_class.season += 1
        return class_info(school_class)


def join_code(services: Services, *, name: str) -> str:
    """Return the join code of a class; raise NotFound that says how to add it."""
    with services.db.read() as session:
        found = class_id_of(session, name)
        if found is None:
            raise NotFound(
                f'There is no class named "{name}". '
                f'Add it: ./wordkeep class add "{name}"'
            )
        return session.get_one(SchoolClass, found).join_code


def class_id_of(session: Session, name: str) -> int | None:
    """Return the id of the class of a name, in whatever case or width it is typed."""
    rows = session.execute(
        select(SchoolClass.name, SchoolClass.id).order_by(SchoolClass.id)
    ).all()
    ids = {name_key(row.name): row.id for row in reversed(rows)}
    # Names made before they were compared this way may differ in case alone.
    ids |= {row.name: row.id for row in rows}
    return ids.get(name, ids.get(name_key(name)))


def classes(services: Services) -> tuple[ClassInfo, ...]:
    """Return all classes by name."""
    with services.db.read() as session:
        rows = session.scalars(select(SchoolClass).order_by(SchoolClass.name))
        return tuple(class_info(row) for row in rows)


def by_code(services: Services, *, code: str) -> ClassInfo:
    """Return the class of a join code; raise InvalidInput with the code `join_code`."""
    with services.db.read() as session:
        return class_info(class_for(session, services, code))


def class_for(session: Session, services: Services, code: str | None) -> SchoolClass:
    """Return the class of a join code; without a code the open one, made if needed.

    Raise InvalidInput with the code `join_code` if no class has it.
    """
    if code:
        row = session.scalar(
            select(SchoolClass).where(SchoolClass.join_code == normalise_code(code))
        )
        if row is None:
            raise InvalidInput(
                "No class has this join code. Check it character by character.",
                code="join_code",
            )
        return row
    by_name = select(SchoolClass).where(SchoolClass.name == OPEN_CLASS)
    row = session.scalar(by_name)
    if row is not None:
        return row
    insert_missing(
        session,
        SchoolClass,
        name=OPEN_CLASS,
        join_code=new_code(groups=2),
        season=1,
        created_at=services.now(),
    )
    return session.scalars(by_name).one()


def own_class(session: Session, player: Player) -> int | None:
    """Return the class of a player; None for those who came without a join code."""
    row = session.get_one(SchoolClass, player.class_id)
    return None if row.name == OPEN_CLASS else row.id


def _new_class(session: Session, services: Services, name: str) -> SchoolClass:
    row = SchoolClass(
        name=name, join_code=new_code(groups=2), season=1, created_at=services.now()
    )
    session.add(row)
    session.flush()
    return row


def class_info(row: SchoolClass) -> ClassInfo:
    """Return a class as its instructor sees it."""
    return ClassInfo(row.id, row.name, row.join_code, row.season, row.is_joinable)
