"""Rows of the lab: what people keep of their experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# The feature that calls from the lab are recorded under.
LAB: Final = "lab"


class LabDocument(Base):
    """A text that a player keeps to ask about, and how it is cut into passages.

    `size` and `overlap` are words of a passage, and words that it shares with the next.
    """

    __tablename__ = "lab_documents"
    __table_args__ = (Index(None, "player_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    overlap: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class LabPassage(Base):
    """A piece of a document; `vector` are the 32-bit numbers of its embedding."""

    __tablename__ = "lab_passages"
    __table_args__ = (UniqueConstraint("document_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(
        ForeignKey("lab_documents.id", ondelete="CASCADE")
    )
    place: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class LabQuestion(Base):
    """A question about a player's documents, and what a model said to it.

    `sides` are the ways in which it was asked: what was searched for, the passages
    that were found, the messages, and the answer. `vector` is the embedding of what the
    last side searched for; empty if the site answered. `follows` is the question that
    came before, if one did.
    """

    __tablename__ = "lab_questions"
    __table_args__ = (Index(None, "player_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    follows: Mapped[int | None] = mapped_column(
        ForeignKey("lab_questions.id", ondelete="SET NULL")
    )
    text: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    sides: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
