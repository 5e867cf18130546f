"""Rows about people: classes, players, and who may act for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

PLAYER, INSTRUCTOR, ADMIN = "player", "instructor", "admin"
ROLES = (PLAYER, INSTRUCTOR, ADMIN)


class SchoolClass(Base):
    """A class: a group of players with a join code and a season.

    `limits` are the class's own, by the name of the setting; what is not there is as
    the settings say. While `look_here` is set, play waits and everybody sees it. The
    clock counts down to `clock_ends_at`. Rude words in replies are masked if
    `masks_rude`.
    """

    __tablename__ = "classes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    join_code: Mapped[str] = mapped_column(String(16), unique=True)
    season: Mapped[int] = mapped_column(default=1)
    is_joinable: Mapped[bool] = mapped_column(default=True, server_default=true())
    limits: Mapped[dict[str, int]] = mapped_column(
        JSON, default=dict, server_default="{}"
    )
    masks_rude: Mapped[bool] = mapped_column(default=False, server_default=false())
    look_here: Mapped[str | None] = mapped_column(String(200))
    clock_title: Mapped[str | None] = mapped_column(String(80))
    clock_ends_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Player(Base):
    """A person. `name_key` is the nickname as it is looked up at sign-in.

    No two in a class look alike: their nicknames and aliases are `TakenName` rows.
    """

    __tablename__ = "players"
    __table_args__ = (
        Index(None, "name_key"),
        UniqueConstraint("recovery_digest"),
        # The id is part of every secret: a deleted player's must not be used again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id"))
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(String(80))
    alias: Mapped[str | None] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(12), default=PLAYER)
    is_listed: Mapped[bool] = mapped_column(default=True)
    # By an instructor; `is_listed` is the player's own choice.
    is_hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    password_hash: Mapped[str | None] = mapped_column(String(200))
    recovery_digest: Mapped[str] = mapped_column(String(64))
    # Who may act for the player carries it: a new one ends all sign-ins and tokens.
    session_stamp: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    # None until somebody has signed in: an instructor made the player from a list.
    came_at: Mapped[datetime | None] = mapped_column(UtcTime)


class TakenName(Base):
    """One way in which a player's nickname or alias looks; unique within the class.

    Instructors' rows are looked for in all classes: nobody may pass for them.
    """

    __tablename__ = "taken_names"
    __table_args__ = (
        UniqueConstraint("class_id", "look"),
        Index(None, "look"),
        Index(None, "player_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id"))
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    look: Mapped[str] = mapped_column(String(400))


class ApiToken(Base):
    """A bearer token of a player, stored as a digest."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index(None, "player_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    stamp: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class SignIn(Base):
    """A browser that may act for a player; its cookie has the key of this digest.

    `code_seed` gives the recovery code that this browser has yet to write down.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "player_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    stamp: Mapped[str] = mapped_column(String(32))
    code_seed: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Teaching(Base):
    """A class that an instructor looks after."""

    __tablename__ = "teaching"
    __table_args__ = (Index(None, "player_id"),)

    class_id: Mapped[int] = mapped_column(
        ForeignKey("classes.id", ondelete="CASCADE"), primary_key=True
    )
    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )


class ClassAct(Base):
    """What somebody did to a player of a class: who, what, when, and to whom.

    `player_id` is None once that player is gone; `actor` is a name, or the command.
    """

    __tablename__ = "class_acts"
    __table_args__ = (Index(None, "class_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"))
    player_id: Mapped[int | None] = mapped_column(
        ForeignKey("players.id", ondelete="SET NULL")
    )
    actor: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
