"""Rows about teaching: what is open to a class, and where each player stands."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# What a rule is about: a level, a track, or the hints of everything.
GATE, TRACK_RULE, HINTS = "gate", "track", "hints"
RULED: Final = (GATE, TRACK_RULE, HINTS)
OPEN, CLOSED = "open", "closed"


class ClassRule(Base):
    """What an instructor has opened or closed for a class.

    `kind` is one of RULED, `thing` the id of the level or track, "" for hints. `state`
    holds from `since` until `until`; None: from always, for ever. Outside of that, and
    without a rule, things are as the content says.
    """

    __tablename__ = "class_rules"

    class_id: Mapped[int] = mapped_column(
        ForeignKey("classes.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    thing: Mapped[str] = mapped_column(String(80), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    since: Mapped[datetime | None] = mapped_column(UtcTime)
    until: Mapped[datetime | None] = mapped_column(UtcTime)


class Audience(Base):
    """A class that sees a ladder, level, track or lesson of the installation's own.

    What has no row here is seen by everybody.
    """

    __tablename__ = "audiences"

    # ladder, level, track or lesson
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    thing: Mapped[str] = mapped_column(String(80), primary_key=True)
    class_id: Mapped[int] = mapped_column(
        ForeignKey("classes.id", ondelete="CASCADE"), primary_key=True
    )


class LevelState(Base):
    """Where a player stands at a level in a season: the class page reads nothing else.

    `attempts` are those that count (COUNTED), `blocked` those of them that a guard
    stopped, `furthest` the most guards that one of them got past. `progress_at` is when
    something went better than ever before: a first attempt, a longer way past the
    guards, a win.
    """

    __tablename__ = "level_states"

    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    level_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    season: Mapped[int] = mapped_column(primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    blocked: Mapped[int] = mapped_column(default=0)
    furthest: Mapped[int] = mapped_column(default=0, server_default="0")
    first_at: Mapped[datetime] = mapped_column(UtcTime)
    last_at: Mapped[datetime] = mapped_column(UtcTime)
    progress_at: Mapped[datetime] = mapped_column(UtcTime)
