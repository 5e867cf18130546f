"""Classes: their join codes and seasons."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.db import insert_missing
from webapp.domain.services import Services
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import SchoolClass
from webapp.security import new_code, normalise_code

OPEN_CLASS = "Open keep"


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class as its instructor sees it."""

    id: int
    name: str
    join_code: str
    season: int


def add_class(services: Services, *, name: str) -> ClassInfo:
    """Make a class with a fresh join code; raise Conflict if the name is taken."""
    shown = " ".join(name.split())
    if not 2 <= len(shown) <= 80:
        raise InvalidInput("A class name has 2 to 80 characters.")
    try:
        with services.db.write() as session:
            return _class_info(_new_class(session, services, shown))
    except IntegrityError as error:
        raise Conflict(f'There is already a class named "{shown}".') from error


def start_season(services: Services, *, name: str) -> ClassInfo:
    """Begin a new season of a class: every visit of its players starts again."""
    with services.db.write() as session:
        school_class = session.scalar(
            select(SchoolClass).where(SchoolClass.name == name).with_for_update()
        )
        if school_class is None:
            raise NotFound(f'There is no class named "{name}".')
        school_class.season += 1
        return _class_info(school_class)


def classes(services: Services) -> tuple[ClassInfo, ...]:
    """Return all classes by name."""
    with services.db.read() as session:
        rows = session.scalars(select(SchoolClass).order_by(SchoolClass.name))
        return tuple(_class_info(row) for row in rows)


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


def _new_class(session: Session, services: Services, name: str) -> SchoolClass:
    row = SchoolClass(
        name=name, join_code=new_code(groups=2), season=1, created_at=services.now()
    )
    session.add(row)
    session.flush()
    return row


def _class_info(row: SchoolClass) -> ClassInfo:
    return ClassInfo(row.id, row.name, row.join_code, row.season)
