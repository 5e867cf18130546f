"""Teaching: rules and limits of a class, where players stand, versions and trials."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLES = ("class_rules", "audiences", "level_states", "content_versions", "trials")


def upgrade() -> None:
    """Apply the change; where everybody stands is counted from their attempts."""
    for column in _of_classes():
        op.add_column("classes", column)
    op.add_column(
        "panel_states",
        sa.Column("runs", sa.Integer(), server_default="0", nullable=False),
    )
    op.add_column(
        "panel_states",
        sa.Column("progress_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "ix_generations_flagged",
        "generations",
        ["player_id"],
        sqlite_where=sa.text("status IN ('helped', 'refused')"),
        postgresql_where=sa.text("status IN ('helped', 'refused')"),
    )
    op.add_column(
        "players", sa.Column("came_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute("UPDATE players SET came_at = created_at")
    _create_class_rules()
    _create_level_states()
    _create_writing()
    _count_attempts()
    op.execute(
        "UPDATE panel_states SET runs = (SELECT count(*) FROM practices "
        "JOIN generations ON generations.id = practices.id "
        "WHERE generations.player_id = panel_states.player_id "
        "AND practices.lesson_id = panel_states.lesson_id "
        "AND practices.panel = panel_states.panel AND practices.result IS NOT NULL)"
    )


def downgrade() -> None:
    """Take the change back."""
    for name in reversed(_TABLES):
        op.drop_table(name)
    op.drop_index("ix_generations_flagged", "generations")
    op.drop_column("panel_states", "progress_at")
    op.drop_column("players", "came_at")
    op.drop_column("panel_states", "runs")
    for column in reversed(_of_classes()):
        op.drop_column("classes", column.name)


def _of_classes() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "is_joinable", sa.Boolean(), server_default=sa.true(), nullable=False
        ),
        sa.Column("limits", sa.JSON(), server_default="{}", nullable=False),
        sa.Column(
            "masks_rude", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.Column("look_here", sa.String(length=200), nullable=True),
        sa.Column("clock_title", sa.String(length=80), nullable=True),
        sa.Column("clock_ends_at", sa.DateTime(timezone=True), nullable=True),
    ]


def _create_class_rules() -> None:
    op.create_table(
        "class_rules",
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("thing", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        _of("class_rules", "class_id", "classes"),
        sa.PrimaryKeyConstraint(
            "class_id", "kind", "thing", name=op.f("pk_class_rules")
        ),
    )
    op.create_table(
        "audiences",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("thing", sa.String(length=80), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        _of("audiences", "class_id", "classes"),
        sa.PrimaryKeyConstraint("kind", "thing", "class_id", name=op.f("pk_audiences")),
    )


def _create_level_states() -> None:
    op.create_table(
        "level_states",
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("level_id", sa.String(length=64), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("furthest", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("progress_at", sa.DateTime(timezone=True), nullable=False),
        _of("level_states", "player_id", "players"),
        sa.PrimaryKeyConstraint(
            "player_id", "level_id", "season", name=op.f("pk_level_states")
        ),
    )


def _create_writing() -> None:
    op.create_table(
        "content_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_versions")),
    )
    op.create_index(
        op.f("ix_content_versions_path_content_versions_id"),
        "content_versions",
        ["path", "id"],
    )
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("thing", sa.String(length=130), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("boot_id", sa.String(length=64), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        _of("trials", "player_id", "players"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
    )
    for column in ("thing", "player_id"):
        op.create_index(op.f(f"ix_trials_{column}_trials_id"), "trials", [column, "id"])


def _of(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{parent}.id"],
        name=op.f(f"fk_{table}_{column}"),
        ondelete="CASCADE",
    )


def _count_attempts() -> None:
    op.execute(
        "INSERT INTO level_states (player_id, level_id, season, attempts, blocked, "
        "first_at, last_at, progress_at) "
        "SELECT visits.player_id, visits.level_id, visits.season, count(*), "
        "sum(CASE WHEN generations.status = 'blocked' THEN 1 ELSE 0 END), "
        "min(generations.created_at), max(generations.created_at), "
        "min(generations.created_at) "
        "FROM attempts JOIN generations ON generations.id = attempts.id "
        "JOIN visits ON visits.id = attempts.visit_id "
        "WHERE generations.status IN ('finished', 'blocked', 'stopped') "
        "GROUP BY visits.player_id, visits.level_id, visits.season"
    )
    op.execute(
        "UPDATE level_states SET progress_at = coalesce((SELECT max(solves.solved_at) "
        "FROM solves JOIN visits ON visits.id = solves.visit_id "
        "WHERE solves.player_id = level_states.player_id "
        "AND solves.level_id = level_states.level_id "
        "AND visits.season = level_states.season), progress_at)"
    )
