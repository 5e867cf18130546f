"""Judging: models compared row by row, and blind votes between two of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("sides", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("is_judged", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of("comparisons", "player_id", "players"),
        _of("comparisons", "model_id", "trained_models"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparisons")),
        sa.UniqueConstraint(
            "player_id", "form", name=op.f("uq_comparisons_player_id_form")
        ),
    )
    op.create_index(
        op.f("ix_comparisons_player_id_comparisons_model_id"),
        "comparisons",
        ["player_id", "model_id"],
    )
    op.create_table(
        "compared_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("comparison_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column(
            "is_learned", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.Column("replies", sa.JSON(), nullable=False),
        sa.Column("judged", sa.JSON(), nullable=False),
        sa.Column("grades", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        _of("compared_rows", "comparison_id", "comparisons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compared_rows")),
        sa.UniqueConstraint(
            "comparison_id", "place", name=op.f("uq_compared_rows_comparison_id_place")
        ),
    )
    _create_duels()


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("duels")
    op.drop_table("compared_rows")
    op.drop_table("comparisons")


def _create_duels() -> None:
    op.create_table(
        "duels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=True),
        sa.Column("low_id", sa.Integer(), nullable=False),
        sa.Column("high_id", sa.Integer(), nullable=False),
        sa.Column("is_swapped", sa.Boolean(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("replies", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=True),
        _of("duels", "player_id", "players"),
        _of("duels", "class_id", "classes"),
        _of("duels", "low_id", "trained_models"),
        _of("duels", "high_id", "trained_models"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duels")),
        sa.UniqueConstraint(
            "player_id",
            "low_id",
            "high_id",
            name=op.f("uq_duels_player_id_low_id_high_id"),
        ),
    )
    op.create_index(op.f("ix_duels_class_id"), "duels", ["class_id"])


def _of(table: str, column: str, owner: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{owner}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )
