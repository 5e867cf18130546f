"""Names are taken by how they look; their keys are those of this version.

Where two old names look alike, the older player keeps the look and the other one's row
is left without it. Both go on playing and signing in under the names they have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from webapp.text.names import looks, name_key

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NAMES = ("name", "alias")
_PLAYERS = sa.table(
    "players",
    *(sa.column(name) for name in ("id", "class_id", "role", "name_key", *_NAMES)),
)
_TAKEN = sa.table(
    "taken_names", *(sa.column(name) for name in ("class_id", "player_id", "look"))
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "taken_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("player_id", sa.Integer(), nullable=False),
        sa.Column("look", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_taken_names_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["player_id"],
            ["players.id"],
            name=op.f("fk_taken_names_player_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taken_names")),
        sa.UniqueConstraint(
            "class_id", "look", name=op.f("uq_taken_names_class_id_look")
        ),
    )
    with op.batch_alter_table("taken_names", schema=None) as batch_op:
        for column in ("look", "player_id"):
            batch_op.create_index(
                batch_op.f(f"ix_taken_names_{column}"), [column], unique=False
            )
    with _players_changed() as batch_op:
        batch_op.drop_constraint(op.f("uq_players_class_id_name_key"), type_="unique")
        for column in _NAMES:
            batch_op.alter_column(
                column,
                existing_type=sa.String(length=40),
                type_=sa.String(length=80),
                existing_nullable=column == "alias",
            )
        batch_op.create_index(
            batch_op.f("ix_players_name_key"), ["name_key"], unique=False
        )
    _take_names()


@contextmanager
def _players_changed() -> Iterator[BatchOperations]:
    """Change the table of players; on SQLite, ids of deleted players stay used up."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    counter = "SELECT seq FROM sqlite_sequence WHERE name = 'players'"
    last = connection.scalar(sa.text(counter)) if is_sqlite else None
    with op.batch_alter_table(
        "players", schema=None, table_kwargs={"sqlite_autoincrement": True}
    ) as batch_op:
        yield batch_op
    if last is not None:
        # Without rows, the copied table has no counter yet.
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'players'")
        op.execute(f"INSERT INTO sqlite_sequence VALUES ('players', {int(last)})")  # noqa: S608


def _take_names() -> None:
    connection = op.get_bind()
    # Instructors come first: it is their names that nobody else may have.
    order = (_PLAYERS.c.role == "player", _PLAYERS.c.id)
    players = connection.execute(sa.select(_PLAYERS).order_by(*order)).all()
    for player in players:
        _set_key(player, name_key(player.name))
    taken: dict[tuple[int, str], int] = {}
    for column in _NAMES:
        for player in players:
            for look in looks(getattr(player, column) or ""):
                taken.setdefault((player.class_id, look), player.id)
    if taken:
        connection.execute(sa.insert(_TAKEN), list(_rows(taken)))


def _set_key(player: Any, key: str) -> None:
    if key != player.name_key:
        of_player = sa.update(_PLAYERS).where(_PLAYERS.c.id == player.id)
        op.get_bind().execute(of_player.values(name_key=key))


def _rows(taken: dict[tuple[int, str], int]) -> Iterator[dict[str, int | str]]:
    for (class_id, look), player_id in taken.items():
        yield {"class_id": class_id, "player_id": player_id, "look": look}


def downgrade() -> None:
    """Take the change back. A key that was unique before gets a number if it is not."""
    op.drop_table("taken_names")
    seen: set[tuple[int, str]] = set()
    players = sa.select(_PLAYERS).order_by(_PLAYERS.c.id)
    for player in op.get_bind().execute(players).all():
        key, number = player.name_key, 1
        while (player.class_id, key) in seen:
            number += 1
            key = f"{player.name_key[:70]} {number}"
        seen.add((player.class_id, key))
        _set_key(player, key)
    op.execute("UPDATE players SET name = substr(name, 1, 40)")
    op.execute("UPDATE players SET alias = substr(alias, 1, 40)")
    with _players_changed() as batch_op:
        batch_op.drop_index(batch_op.f("ix_players_name_key"))
        for column in _NAMES:
            batch_op.alter_column(
                column,
                existing_type=sa.String(length=80),
                type_=sa.String(length=40),
                existing_nullable=column == "alias",
            )
        batch_op.create_unique_constraint(
            op.f("uq_players_class_id_name_key"), ["class_id", "name_key"]
        )
