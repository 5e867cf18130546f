"""What a model thought before it replied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("generations", sa.Column("thoughts", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("generations", "thoughts")
