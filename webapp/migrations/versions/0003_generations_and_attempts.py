"""Generations of any feature, and attempts as what the game adds to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What leaves `generations` for `attempts`.
_MOVED = (
    "visit_id",
    "level_id",
    "content_hash",
    "message",
    "blocked_by",
    "verdicts",
    "note",
)
_SAMPLING = ("temperature", "top_p", "max_tokens")


def upgrade() -> None:
    """Apply the change."""
    _create_attempts()
    columns = ", ".join(("id", *_MOVED))
    op.execute(f"INSERT INTO attempts ({columns}) SELECT {columns} FROM generations")  # noqa: S608
    op.add_column("generations", sa.Column("settings", sa.JSON(), nullable=True))
    _fill_settings()
    _drop_indexes("player_id_generations_id", "running", "visit_id_generations_id")
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_generations_visit_id"), type_="foreignkey")
        batch_op.drop_constraint(
            op.f("fk_generations_content_hash"), type_="foreignkey"
        )
        for name in _MOVED:
            batch_op.drop_column(name)
        batch_op.alter_column(
            "caller",
            new_column_name="feature",
            existing_type=sa.String(length=12),
            type_=sa.String(length=20),
            existing_nullable=False,
        )
        batch_op.alter_column("player_id", existing_type=sa.Integer(), nullable=True)
        batch_op.alter_column("settings", existing_type=sa.JSON(), nullable=False)
        batch_op.add_column(sa.Column("prompt", sa.JSON(), nullable=True))
    _create_indexes(["player_id", "feature", "id"])
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attempts_visit_id_attempts_id"),
            ["visit_id", "id"],
            unique=False,
        )


def downgrade() -> None:
    """Take the change back. The old table has no room for other features' rows."""
    _drop_indexes("player_id_generations_feature_generations_id", "running")
    op.execute("DELETE FROM generations WHERE id NOT IN (SELECT id FROM attempts)")
    for column in _old_columns():
        op.add_column("generations", column)
    values = ", ".join(
        f"{name} = (SELECT {name} FROM attempts WHERE attempts.id = generations.id)"  # noqa: S608
        for name in _MOVED
    )
    op.execute(f"UPDATE generations SET {values}")  # noqa: S608
    op.drop_table("attempts")
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.drop_column("settings")
        batch_op.drop_column("prompt")
        batch_op.alter_column(
            "feature",
            new_column_name="caller",
            existing_type=sa.String(length=20),
            type_=sa.String(length=12),
            existing_nullable=False,
        )
        batch_op.alter_column("player_id", existing_type=sa.Integer(), nullable=False)
        for column in _old_columns():
            if column.name != "blocked_by":
                batch_op.alter_column(
                    column.name, existing_type=column.type, nullable=False
                )
        batch_op.create_foreign_key(
            op.f("fk_generations_visit_id"),
            "visits",
            ["visit_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_foreign_key(
            op.f("fk_generations_content_hash"),
            "level_versions",
            ["content_hash"],
            ["hash"],
        )
    _create_indexes(["player_id", "id"], ["visit_id", "id"])


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("level_id", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("blocked_by", sa.String(length=40), nullable=True),
        sa.Column("verdicts", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["generations.id"], name=op.f("fk_attempts_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"],
            ["visits.id"],
            name=op.f("fk_attempts_visit_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["content_hash"],
            ["level_versions.hash"],
            name=op.f("fk_attempts_content_hash"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )


def _old_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("level_id", sa.String(length=64), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("blocked_by", sa.String(length=40), nullable=True),
        sa.Column("verdicts", sa.JSON(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
    ]


def _fill_settings() -> None:
    """Write down how each reply was sampled, as the level said then."""
    versions = sa.table(
        "level_versions", sa.column("hash"), sa.column("body", sa.JSON())
    )
    generations = sa.table(
        "generations",
        sa.column("content_hash"),
        sa.column("settings", sa.JSON()),
    )
    connection = op.get_bind()
    for content_hash, body in connection.execute(
        sa.select(versions.c.hash, versions.c.body)
    ).all():
        defender = body["defender"]
        settings = {name: defender[name] for name in _SAMPLING if name in defender}
        connection.execute(
            generations.update()
            .where(generations.c.content_hash == content_hash)
            .values(settings=settings)
        )


def _drop_indexes(*names: str) -> None:
    for name in names:
        op.drop_index(op.f(f"ix_generations_{name}"), table_name="generations")


def _create_indexes(*columns: list[str]) -> None:
    op.create_index(
        "ix_generations_running",
        "generations",
        ["boot_id"],
        unique=False,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    for names in columns:
        label = "_".join([names[0], *(f"generations_{name}" for name in names[1:])])
        op.create_index(
            op.f(f"ix_generations_{label}"), "generations", names, unique=False
        )
