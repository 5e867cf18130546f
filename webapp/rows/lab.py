"""Rows of the lab: what people keep of their experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# The feature that calls from the lab are recorded under.
LAB: Final = "lab"


class LabChat(Base):
    """A conversation of the playground that a player keeps.

    `bench` is all that its page holds, `words` what a search looks through. `title` is
    its first words until the player gives it a name. `share_key` stands in the link by
    which the class may open it; None: nobody else may.
    """

    __tablename__ = "lab_chats"
    __table_args__ = (Index(None, "player_id", "updated_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(80))
    is_named: Mapped[bool] = mapped_column(default=False)
    bench: Mapped[dict[str, Any]] = mapped_column(JSON)
    words: Mapped[str] = mapped_column(Text)
    share_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class LabInstructions(Base):
    """What a player wants the models of the playground to know, if that is on."""

    __tablename__ = "lab_instructions"

    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(Text)


class PriceTable(Base):
    """What tokens cost, as an instructor has written it down; there is one row at most.

    Each of `lines` has a `pattern` of model names and the prices of a million tokens
    that are read and that are written, as texts: `read` and `written`.
    """

    __tablename__ = "price_table"

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(12))
    lines: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
