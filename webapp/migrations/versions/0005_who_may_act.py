"""Sign-ins, who teaches which class, hidden players, and solves of past seasons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. Everybody signs in once more: old cookies have no key."""
    _create_sign_ins()
    _create_teaching()
    _create_class_acts()
    op.add_column(
        "players",
        sa.Column("is_hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("api_tokens", sa.Column("stamp", sa.String(length=32), nullable=True))
    op.execute(
        "UPDATE api_tokens SET stamp = "
        "(SELECT session_stamp FROM players WHERE players.id = api_tokens.player_id)"
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.alter_column(
            "stamp", existing_type=sa.String(length=32), nullable=False
        )
    # Until now every instructor saw every class.
    op.execute(
        "INSERT INTO teaching (class_id, player_id) SELECT classes.id, players.id "
        "FROM classes CROSS JOIN players WHERE players.role = 'instructor'"
    )
    _keep_past_seasons()


def downgrade() -> None:
    """Take the change back. The old table has room for one season of solves."""
    op.execute("DELETE FROM solves WHERE season IS NOT NULL")
    op.drop_index(op.f("ix_solves_class_id_solves_season"), table_name="solves")
    op.drop_index(op.f("ix_solves_player_id"), table_name="solves")
    op.drop_index("ux_solves_current", table_name="solves")
    with op.batch_alter_table("solves", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_solves_class_id"), type_="foreignkey")
        batch_op.drop_column("class_id")
        batch_op.drop_column("season")
        batch_op.create_unique_constraint(
            op.f("uq_solves_player_id_level_id"), ["player_id", "level_id"]
        )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.drop_column("stamp")
    op.drop_column("players", "is_hidden")
    op.drop_table("class_acts")
    op.drop_table("teaching")
    op.drop_table("sign_ins")


def _create_sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("stamp", sa.String(length=32), nullable=False),
        sa.Column("code_seed", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"],
            ["players.id"],
            name=op.f("fk_sign_ins_player_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_ins_digest")),
    )
    op.create_index(
        op.f("ix_sign_ins_player_id"), "sign_ins", ["player_id"], unique=False
    )


def _create_teaching() -> None:
    op.create_table(
        "teaching",
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"],
            ["classes.id"],
            name=op.f("fk_teaching_class_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["player_id"],
            ["players.id"],
            name=op.f("fk_teaching_player_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("class_id", "player_id", name=op.f("pk_teaching")),
    )
    op.create_index(
        op.f("ix_teaching_player_id"), "teaching", ["player_id"], unique=False
    )


def _create_class_acts() -> None:
    op.create_table(
        "class_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"],
            ["classes.id"],
            name=op.f("fk_class_acts_class_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["player_id"],
            ["players.id"],
            name=op.f("fk_class_acts_player_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_acts")),
    )
    op.create_index(
        op.f("ix_class_acts_class_id_class_acts_id"),
        "class_acts",
        ["class_id", "id"],
        unique=False,
    )


def _keep_past_seasons() -> None:
    with op.batch_alter_table("solves", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_solves_player_id_level_id"), type_="unique")
        batch_op.add_column(sa.Column("season", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("class_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_solves_class_id"),
            "classes",
            ["class_id"],
            ["id"],
            ondelete="SET NULL",
        )
    op.create_index(
        "ux_solves_current",
        "solves",
        ["player_id", "level_id"],
        unique=True,
        sqlite_where=sa.text("season IS NULL"),
        postgresql_where=sa.text("season IS NULL"),
    )
    op.create_index(op.f("ix_solves_player_id"), "solves", ["player_id"], unique=False)
    op.create_index(
        op.f("ix_solves_class_id_solves_season"),
        "solves",
        ["class_id", "season"],
        unique=False,
    )
