"""Rows of the lab: what people keep of their experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# The feature that calls from the lab are recorded under.
LAB: Final = "lab"


class LabMatrix(Base):
    """Prompts asked of models at temperatures, with a check of every reply.

    `form` marks the form that it was asked for with, so that one sent twice is one.
    `setup` is all that was chosen. `state` is ready, running, paused or finished, and
    `boot_id` says which process asks; `note` why it was paused. `done` of `total`
    replies are there.
    """

    __tablename__ = "lab_matrices"
    __table_args__ = (
        UniqueConstraint("player_id", "form"),
        Index(None, "player_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    form: Mapped[str] = mapped_column(String(64))
    setup: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12))
    boot_id: Mapped[str] = mapped_column(String(64), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    note: Mapped[str] = mapped_column(String(400), default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class LabCell(Base):
    """One prompt at one model and one temperature: all replies, and their checks.

    `place` counts the cells of a matrix as its page shows them.
    """

    __tablename__ = "lab_cells"
    __table_args__ = (UniqueConstraint("matrix_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    matrix_id: Mapped[int] = mapped_column(
        ForeignKey("lab_matrices.id", ondelete="CASCADE")
    )
    place: Mapped[int]
    replies: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
