"""A judge model says which reply of a comparison is better."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; no judge was asked before."""
    op.add_column("comparisons", sa.Column("rubric", sa.Text(), nullable=True))
    op.add_column("comparisons", sa.Column("judge", sa.Text(), nullable=True))
    op.add_column("compared_rows", sa.Column("picks", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("compared_rows", "picks")
    op.drop_column("comparisons", "judge")
    op.drop_column("comparisons", "rubric")
