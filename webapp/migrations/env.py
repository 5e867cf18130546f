"""What Alembic runs; `migrate` and `alembic_config` hand it the database."""

from __future__ import annotations

from typing import Literal

from alembic import context

from webapp import rows
from webapp.db import Database

# Any one number: hosts that share a PostgreSQL database wait for each other.
_MIGRATION_LOCK = 7_236_421


def run() -> None:
    """Migrate in one transaction, so that a failure leaves the old shape."""
    database: Database = context.config.attributes["database"]
    with database.engine.execution_options(wordkeep_write=True).connect() as connection:
        driver = connection.connection.driver_connection
        if database.is_sqlite and driver is not None:
            # A changed table is copied and dropped; its rows' children must stay.
            driver.execute("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=rows.Player.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=_render_item,
        )
        with context.begin_transaction():
            if not database.is_sqlite:
                connection.exec_driver_sql(
                    f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"
                )
            context.run_migrations()
        if database.is_sqlite and driver is not None:
            driver.execute("PRAGMA foreign_keys=ON")


def _render_item(
    kind: str, item: object, autogen_context: object
) -> str | Literal[False]:
    """Write our own column type as the plain one it stands for."""
    if kind == "type" and type(item).__name__ == "UtcTime":
        return "sa.DateTime(timezone=True)"
    return False


run()
