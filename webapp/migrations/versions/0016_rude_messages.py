"""Messages with rude words are listed for those who teach the class."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; what was written earlier is not listed."""
    op.add_column(
        "generations",
        sa.Column("is_rude", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_index(
        "ix_generations_rude",
        "generations",
        ["player_id"],
        sqlite_where=sa.text("is_rude IS 1"),
        postgresql_where=sa.text("is_rude IS true"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_generations_rude", "generations")
    op.drop_column("generations", "is_rude")
