"""What the supervisor does to the database."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from webapp.db import Database
from webapp.domain.generations.sweeping import sweep_interrupted
from webapp.errors import LabError
from webapp.migrations import migrate
from webapp.settings import Settings


def prepare(settings: Settings) -> None:
    """Bring the tables up to date, and close what dead processes left open."""
    database = Database(settings.database)
    try:
        migrate(database)
        sweep_interrupted(database, settings.instance)
    finally:
        database.dispose()


def sweep(settings: Settings) -> None:
    """Close what dead processes left open; raise LabError if that cannot be done."""
    database = Database(settings.database)
    try:
        sweep_interrupted(database, settings.instance)
    except (SQLAlchemyError, LabError) as error:
        problem = f"Interrupted attempts could not be marked: {error}"
        raise LabError(problem) from error
    finally:
        database.dispose()
