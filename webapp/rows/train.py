"""Rows about training: whose data and whose models; the sidecar keeps the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# The feature that prompts to trained models are recorded under.
TRAIN: Final = "train"
PRIVATE, CLASS, PUBLIC = "private", "class", "public"
VISIBILITIES: Final = (PRIVATE, CLASS, PUBLIC)
# A run that has been asked for, and that the sidecar has not answered for yet.
SENDING: Final = "sending"


class DataFile(Base):
    """Data that a player brought or chose: `file_id` is the sidecar's.

    `settings` say how its rows are read (text, answer, is_chat, …), `report` is what
    the sidecar last said of it. `source` is where its text is from, `terms` under what
    it may be used; both are empty where nobody told.
    """

    __tablename__ = "data_files"
    __table_args__ = (Index(None, "player_id", "id"), Index(None, "visibility"))

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    file_id: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(120))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    source: Mapped[str] = mapped_column(Text, default="", server_default="")
    terms: Mapped[str] = mapped_column(Text, default="", server_default="")
    visibility: Mapped[str] = mapped_column(
        String(12), default=PRIVATE, server_default=PRIVATE
    )
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class TrainedModel(Base):
    """A run of a player, and the model that came of it.

    `form` marks the form that it was asked for with, so that one sent twice is one run.
    `name` is the model's, once there is one; `title` is what the player calls it.
    `settings` are the choices of the form, `predicted` what was expected of it,
    `figures` what came of it. `minutes` of the day are set aside for it.
    """

    __tablename__ = "trained_models"
    __table_args__ = (
        UniqueConstraint("player_id", "form"),
        Index(None, "player_id", "id"),
        Index(None, "visibility"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    data_id: Mapped[int | None] = mapped_column(
        ForeignKey("data_files.id", ondelete="SET NULL")
    )
    form: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    name: Mapped[str | None] = mapped_column(String(120), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    base: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(20))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    predicted: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(12), default=PRIVATE)
    prompt: Mapped[str] = mapped_column(Text, default="")
    minutes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
