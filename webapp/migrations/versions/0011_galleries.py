"""Galleries: pieces of gates as well as of panels, and votes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What a piece is of and which generation it is, before and since.
_BEFORE = ("lesson_id", "practice_id", "practices")
_SINCE = ("thing", "generation_id", "generations")


def upgrade() -> None:
    """Apply the change; pieces of panels stay as they are."""
    _rename(_BEFORE, _SINCE)
    op.create_table(
        "piece_votes",
        sa.Column("piece_id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{parent}.id"],
                name=op.f(f"fk_piece_votes_{column}"),
                ondelete="CASCADE",
            )
            for column, parent in (
                ("piece_id", "gallery_pieces"),
                ("player_id", "players"),
            )
        ),
        sa.PrimaryKeyConstraint("piece_id", "player_id", name=op.f("pk_piece_votes")),
    )
    op.create_index(op.f("ix_piece_votes_player_id"), "piece_votes", ["player_id"])


def downgrade() -> None:
    """Take the change back; pieces of gates go, as the old table cannot hold them."""
    op.drop_table("piece_votes")
    op.execute("DELETE FROM gallery_pieces WHERE panel = ''")
    _rename(_SINCE, _BEFORE)


def _rename(old: tuple[str, str, str], new: tuple[str, str, str]) -> None:
    thing, made, _ = old
    new_thing, new_made, parent = new
    op.drop_index(
        op.f(f"ix_gallery_pieces_{thing}_gallery_pieces_panel"), "gallery_pieces"
    )
    with op.batch_alter_table("gallery_pieces") as batch:
        batch.drop_constraint(op.f(f"fk_gallery_pieces_{made}"), type_="foreignkey")
        batch.drop_constraint(
            op.f(f"uq_gallery_pieces_player_id_{thing}_panel"), type_="unique"
        )
        batch.alter_column(
            thing, new_column_name=new_thing, existing_type=sa.String(length=80)
        )
        batch.alter_column(made, new_column_name=new_made, existing_type=sa.Integer())
    with op.batch_alter_table("gallery_pieces") as batch:
        batch.create_foreign_key(
            op.f(f"fk_gallery_pieces_{new_made}"),
            parent,
            [new_made],
            ["id"],
            ondelete="CASCADE",
        )
        batch.create_unique_constraint(
            op.f(f"uq_gallery_pieces_player_id_{new_thing}_panel"),
            ["player_id", new_thing, "panel"],
        )
    op.create_index(
        op.f(f"ix_gallery_pieces_{new_thing}_gallery_pieces_panel"),
        "gallery_pieces",
        [new_thing, "panel"],
    )
