"""Training: whose data and whose models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "data_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_a_player("data_files"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_files")),
    )
    op.create_index(
        op.f("ix_data_files_player_id_data_files_id"), "data_files", ["player_id", "id"]
    )
    op.create_table(
        "trained_models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("data_id", sa.Integer(), nullable=True),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=80), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("base", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("predicted", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("visibility", sa.String(length=12), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        _of_a_player("trained_models"),
        sa.ForeignKeyConstraint(
            ["data_id"],
            ["data_files.id"],
            name=op.f("fk_trained_models_data_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trained_models")),
        sa.UniqueConstraint(
            "player_id", "form", name=op.f("uq_trained_models_player_id_form")
        ),
        sa.UniqueConstraint("job_id", name=op.f("uq_trained_models_job_id")),
        sa.UniqueConstraint("name", name=op.f("uq_trained_models_name")),
    )
    op.create_index(
        op.f("ix_trained_models_player_id_trained_models_id"),
        "trained_models",
        ["player_id", "id"],
    )
    op.create_index(
        op.f("ix_trained_models_visibility"), "trained_models", ["visibility"]
    )


def downgrade() -> None:
    """Take the change back; what was trained stays with the sidecar."""
    op.drop_table("trained_models")
    op.drop_table("data_files")


def _of_a_player(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["player_id"],
        ["players.id"],
        name=op.f(f"fk_{table}_player_id"),
        ondelete="CASCADE",
    )
