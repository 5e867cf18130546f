"""Rows about people: classes, players and their tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

PLAYER, INSTRUCTOR, ADMIN = "player", "instructor", "admin"
ROLES = (PLAYER, INSTRUCTOR, ADMIN)


class SchoolClass(Base):
    """A class: a group of players with a join code and a season."""

    __tablename__ = "classes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    join_code: Mapped[str] = mapped_column(String(16), unique=True)
    season: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Player(Base):
    """A person. `name_key` is the nickname as compared; unique within the class."""

    __tablename__ = "players"
    __table_args__ = (
        UniqueConstraint("class_id", "name_key"),
        UniqueConstraint("recovery_digest"),
        # The id is part of every secret: a deleted player's must not be used again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id"))
    name: Mapped[str] = mapped_column(String(40))
    name_key: Mapped[str] = mapped_column(String(80))
    alias: Mapped[str | None] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(12), default=PLAYER)
    is_listed: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    recovery_digest: Mapped[str] = mapped_column(String(64))
    # Part of every signed session: a new one signs the player out everywhere.
    session_stamp: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ApiToken(Base):
    """A bearer token of a player, stored as a digest."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index(None, "player_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
