"""Data says where it is from and under what terms, and may be shown to others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; so far nobody told, or showed any."""
    for name in ("source", "terms"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("data_files", column)
    op.add_column(
        "data_files",
        sa.Column(
            "visibility", sa.String(12), nullable=False, server_default="private"
        ),
    )
    op.create_index(op.f("ix_data_files_visibility"), "data_files", ["visibility"])


def downgrade() -> None:
    """Take the change back; what was told is lost."""
    op.drop_index(op.f("ix_data_files_visibility"), "data_files")
    for name in ("visibility", "terms", "source"):
        op.drop_column("data_files", name)
