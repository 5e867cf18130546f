"""Bring the database to the shape that the rows of this version need."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, ProgrammingError

from webapp.db import Database
from webapp.errors import LabError, StorageError
from webapp.migrations import copies

FOLDER = Path(__file__).resolve().parent


class MigrationError(LabError):
    """The database cannot be used by this version."""

    code = "migration"


def migrate(database: Database, *, keeps_copy: bool = True) -> bool:
    """Apply the migrations that are missing; return whether there were any.

    An SQLite database that has tables is copied before, unless its owner has a copy
    (`keeps_copy`). Raise MigrationError when the database is newer than this version,
    cannot be opened at all, or cannot be changed; then it is as it was before.
    """
    scripts = _scripts()
    present = present_revision(database)
    if present == scripts.get_current_head():
        copies.drop_old(database)
        return False
    if present is not None and present not in known_revisions():
        raise MigrationError(
            "The database was made by a newer version of Wordkeep. Update the program, "
            "or choose another folder with --instance."
        )
    if present is not None and keeps_copy:
        _keep_copy(database, present)
    try:
        command.upgrade(alembic_config(database), "head")
    except DBAPIError as error:
        raise MigrationError(
            f"The database could not be brought up to date: {error.orig}. It was left "
            "as it was. Make room on the disk, end what else uses it, and start again."
        ) from error
    return True


def alembic_config(database: Database | None) -> Config:
    """Return Alembic's configuration; there is no alembic.ini to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["database"] = database
    return config


def known_revisions() -> frozenset[str]:
    """Return the revisions of tables that this version can bring up to date."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def present_revision(database: Database) -> str | None:
    """Return the revision of the tables; None where there are none yet.

    Raise MigrationError if the database cannot be opened.
    """
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise MigrationError(
            f"The database cannot be opened: {_reason(error)}. Check "
            "WORDKEEP_DATABASE_URL and that the instance folder can be written."
        ) from error


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(None))


def _keep_copy(database: Database, revision: str) -> None:
    try:
        copies.keep(database, revision)
    except (StorageError, OSError) as error:
        raise MigrationError(
            "The database was left as it was, because it cannot be copied before it "
            f"is brought up to date: {error}. Make room on the disk and start again."
        ) from error


def _reason(error: DBAPIError) -> str:
    if isinstance(error, ProgrammingError):
        # It names the option, which may be a part of a password.
        return "its address has an option that the driver does not know"
    # The driver's own words: SQLAlchemy's could quote the URL, and so a password.
    return " ".join(str(error.orig).split())
