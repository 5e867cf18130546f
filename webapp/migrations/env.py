"""What Alembic runs; `migrate` and `alembic_config` hand it the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from alembic import context
from sqlalchemy.engine import Connection

from webapp import rows
from webapp.db import Database
from webapp.migrations import MigrationError

# Any one number: hosts that share a PostgreSQL database wait for each other.
_MIGRATION_LOCK = 7_236_421


def run() -> None:
    """Migrate in one transaction, so that a failure leaves the old shape."""
    database: Database = context.config.attributes["database"]
    engine = database.engine.execution_options(wordkeep_write=True)
    with engine.connect() as connection, _unchecked_keys(connection):
        context.configure(
            connection=connection,
            target_metadata=rows.Player.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=_render_item,
            # SQLite can, too: our connections begin transactions themselves.
            transactional_ddl=True,
        )
        with context.begin_transaction():
            if not database.is_sqlite:
                connection.exec_driver_sql(
                    f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"
                )
            context.run_migrations()
            if database.is_sqlite:
                _require_whole_keys(connection)


@contextmanager
def _unchecked_keys(connection: Connection) -> Iterator[None]:
    """Let SQLite copy and drop a table without its rows' children going with it."""
    driver = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    # It is heard outside of transactions only, so it comes before and after.
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


def _require_whole_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise MigrationError(
            f"A row of {broken[0]} would point to nothing in {broken[2]}, so the "
            "database was left as it was. Tell whoever maintains Wordkeep."
        )


def _render_item(
    kind: str, item: object, autogen_context: object
) -> str | Literal[False]:
    """Write our own column type as the plain one it stands for."""
    if kind == "type" and type(item).__name__ == "UtcTime":
        return "sa.DateTime(timezone=True)"
    return False


run()
