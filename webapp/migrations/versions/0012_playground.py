"""The playground: conversations, instructions, and what tokens cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "lab_chats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("is_named", sa.Boolean(), nullable=False),
        sa.Column("bench", sa.JSON(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("share_key", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        _of_player("lab_chats"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_chats")),
        sa.UniqueConstraint("share_key", name=op.f("uq_lab_chats_share_key")),
    )
    op.create_index(
        op.f("ix_lab_chats_player_id_lab_chats_updated_at"),
        "lab_chats",
        ["player_id", "updated_at"],
    )
    op.create_table(
        "lab_instructions",
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _of_player("lab_instructions"),
        sa.PrimaryKeyConstraint("player_id", name=op.f("pk_lab_instructions")),
    )
    op.create_table(
        "price_table",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=12), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_table")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("price_table")
    op.drop_table("lab_instructions")
    op.drop_table("lab_chats")


def _of_player(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["player_id"],
        ["players.id"],
        name=op.f(f"fk_{table}_player_id"),
        ondelete="CASCADE",
    )
