"""Lessons: runs of panels, progress, hints, answers, the gallery."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = (
    "practices",
    "panel_states",
    "panel_hints",
    "question_answers",
    "gallery_pieces",
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "practices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.String(length=80), nullable=False),
        sa.Column("panel", sa.String(length=40), nullable=False),
        sa.Column("panel_hash", sa.String(length=64), nullable=False),
        sa.Column("model_version", sa.String(length=120), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.String(length=12), nullable=True),
        sa.Column("is_helped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["generations.id"], name=op.f("fk_practices_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practices")),
    )
    op.create_index(
        op.f("ix_practices_lesson_id_practices_panel_practices_id"),
        "practices",
        ["lesson_id", "panel", "id"],
    )
    op.create_table(
        "panel_states",
        *_of_a_panel(),
        sa.Column("best", sa.Double(), nullable=False),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_helped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("passed_hash", sa.String(length=64), nullable=False),
        sa.Column("passed_version", sa.String(length=120), nullable=False),
        sa.Column("solution_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        _of_a_player("panel_states"),
        sa.PrimaryKeyConstraint(
            "player_id", "lesson_id", "panel", name=op.f("pk_panel_states")
        ),
    )
    op.create_table(
        "panel_hints",
        *_of_a_panel(),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_a_player("panel_hints"),
        sa.PrimaryKeyConstraint(
            "player_id", "lesson_id", "panel", "number", name=op.f("pk_panel_hints")
        ),
    )
    op.create_table(
        "question_answers",
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.String(length=80), nullable=False),
        sa.Column("question", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("concern", sa.String(length=12), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        _of_a_player("question_answers"),
        sa.PrimaryKeyConstraint(
            "player_id", "lesson_id", "question", name=op.f("pk_question_answers")
        ),
    )
    _create_gallery()


def downgrade() -> None:
    """Take the change back; runs of panels go, as the old tables cannot tell them."""
    op.execute("DELETE FROM generations WHERE id IN (SELECT id FROM practices)")
    for name in reversed(_TABLES):
        op.drop_table(name)


def _create_gallery() -> None:
    op.create_table(
        "gallery_pieces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.String(length=80), nullable=False),
        sa.Column("panel", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_a_player("gallery_pieces"),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practices.id"],
            name=op.f("fk_gallery_pieces_practice_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_pieces")),
        sa.UniqueConstraint(
            "player_id",
            "lesson_id",
            "panel",
            name=op.f("uq_gallery_pieces_player_id_lesson_id_panel"),
        ),
    )
    op.create_index(
        op.f("ix_gallery_pieces_lesson_id_gallery_pieces_panel"),
        "gallery_pieces",
        ["lesson_id", "panel"],
    )


def _of_a_panel() -> tuple[sa.Column[int], sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.String(length=80), nullable=False),
        sa.Column("panel", sa.String(length=40), nullable=False),
    )


def _of_a_player(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["player_id"],
        ["players.id"],
        name=op.f(f"fk_{table}_player_id"),
        ondelete="CASCADE",
    )
