"""Trees of the lab: texts that grow token by token."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "lab_trees",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("start", sa.JSON(), nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of("lab_trees", "player_id", "players"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_trees")),
        sa.UniqueConstraint(
            "player_id", "form", name=op.f("uq_lab_trees_player_id_form")
        ),
    )
    op.create_index(
        op.f("ix_lab_trees_player_id_lab_trees_id"), "lab_trees", ["player_id", "id"]
    )
    op.create_table(
        "lab_nodes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tree_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("token", sa.JSON(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("ahead", sa.JSON(), nullable=True),
        sa.Column("is_marked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("note", sa.String(length=60), server_default="", nullable=False),
        _of("lab_nodes", "tree_id", "lab_trees"),
        _of("lab_nodes", "parent_id", "lab_nodes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_nodes")),
    )
    op.create_index(op.f("ix_lab_nodes_tree_id"), "lab_nodes", ["tree_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("lab_nodes")
    op.drop_table("lab_trees")


def _of(table: str, column: str, owner: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{owner}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )
