"""Close generations that ended when nobody could write it down."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.db import Database
from webapp.domain import boots
from webapp.rows import INTERRUPTED, IS_RUNNING, Generation

DIED = "The site stopped before the reply was finished."


def sweep_interrupted(db: Database, instance: Path) -> int:
    """Mark what dead processes of this instance left running; return how many rows."""
    left = (
        select(Generation.boot_id)
        .where(IS_RUNNING, Generation.boot_id.startswith(boots.id_prefix(instance)))
        .distinct()
    )
    with db.read() as session:
        writers = session.scalars(left).all()
    # Asked second: whoever wrote a row was alive before it was read.
    dead = set(writers) - boots.living(instance)
    if not dead:
        return 0
    mark = (
        update(Generation)
        .where(IS_RUNNING, Generation.boot_id.in_(dead))
        .values(status=INTERRUPTED, error=DIED)
    )
    with db.write() as session:
        return int(session.connection().execute(mark).rowcount)


def settle(session: Session, unsaved: Iterable[tuple[int, str]]) -> None:
    """Mark generations whose end could not be saved; each with what was told of it."""
    for generation_id, error in unsaved:
        session.execute(
            update(Generation)
            .where(Generation.id == generation_id, IS_RUNNING)
            .values(status=INTERRUPTED, error=error)
        )
