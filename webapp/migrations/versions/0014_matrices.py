"""Matrices of the lab: prompts, models and temperatures, with a check per reply."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "lab_matrices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("setup", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("boot_id", sa.String(length=64), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"],
            ["players.id"],
            name=op.f("fk_lab_matrices_player_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_matrices")),
        sa.UniqueConstraint(
            "player_id", "form", name=op.f("uq_lab_matrices_player_id_form")
        ),
    )
    op.create_index(
        op.f("ix_lab_matrices_player_id_lab_matrices_id"),
        "lab_matrices",
        ["player_id", "id"],
    )
    op.create_table(
        "lab_cells",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("matrix_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("replies", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["matrix_id"],
            ["lab_matrices.id"],
            name=op.f("fk_lab_cells_matrix_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_cells")),
        sa.UniqueConstraint(
            "matrix_id", "place", name=op.f("uq_lab_cells_matrix_id_place")
        ),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("lab_cells")
    op.drop_table("lab_matrices")
