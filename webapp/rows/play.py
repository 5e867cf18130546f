"""Rows about playing: visits, attempts, guesses, solves, hints and limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime
from webapp.rows.generations import Generation

# The feature that attempts are recorded under.
ATTEMPT = "attempt"


class LevelVersion(Base):
    """The text of a level as it was when somebody played it, by content hash."""

    __tablename__ = "level_versions"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    level_id: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    first_seen_at: Mapped[datetime] = mapped_column(UtcTime)


class Visit(Base):
    """One conversation with one secret. The secret itself is derived, never stored."""

    __tablename__ = "visits"
    __table_args__ = (
        UniqueConstraint("player_id", "level_id", "number"),
        Index(
            "ux_visits_open",
            "player_id",
            "level_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "level_id", "secret_digest"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    level_id: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    season: Mapped[int]
    secret_digest: Mapped[str] = mapped_column(String(64))
    wrong_guesses: Mapped[int] = mapped_column(default=0)
    blocks: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    # win, reset, guesses, suspicion, season or words
    ended_why: Mapped[str | None] = mapped_column(String(12))


class Attempt(Generation):
    """A message to the warden of a level: a generation, and what the game adds to it.

    `reply` is what the model said, before any guard; `blocked_by` says whether the
    player saw it. The prompt holds the secret, so it is not stored: level version,
    visit and message give it again.
    """

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "visit_id", "id"),)

    id: Mapped[int] = mapped_column(
        ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True
    )
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id", ondelete="CASCADE"))
    level_id: Mapped[str] = mapped_column(String(64))
    content_hash: Mapped[str] = mapped_column(ForeignKey("level_versions.hash"))
    message: Mapped[str] = mapped_column(Text)
    blocked_by: Mapped[str | None] = mapped_column(String(40))
    verdicts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Text, default="")


class Guess(Base):
    """One try at the password of a visit."""

    __tablename__ = "guesses"
    __table_args__ = (
        UniqueConstraint("visit_id", "digest"),
        Index(None, "player_id", "level_id"),
        Index(
            "ix_guesses_shared",
            "matches_visit_id",
            sqlite_where=text("matches_visit_id IS NOT NULL"),
            postgresql_where=text("matches_visit_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id", ondelete="CASCADE"))
    level_id: Mapped[str] = mapped_column(String(64))
    guess: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    is_correct: Mapped[bool]
    # The visit of another player whose secret this was: evidence, not proof.
    matches_visit_id: Mapped[int | None] = mapped_column(
        ForeignKey("visits.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Solve(Base):
    """The winning guess of a player at a level: the only row the leaderboard reads.

    Once its season is over it has that season's number, and the class of that time.
    """

    __tablename__ = "solves"
    __table_args__ = (
        Index(
            "ux_solves_current",
            "player_id",
            "level_id",
            unique=True,
            sqlite_where=text("season IS NULL"),
            postgresql_where=text("season IS NULL"),
        ),
        Index(None, "player_id"),
        Index(None, "class_id", "season"),
        Index(None, "level_id", "attempts"),
        Index(None, "level_id", "chars"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    level_id: Mapped[str] = mapped_column(String(64))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id", ondelete="CASCADE"))
    points: Mapped[int]
    attempts: Mapped[int]
    # Characters the player typed in the winning conversation; None for a blind guess.
    chars: Mapped[int | None]
    season: Mapped[int | None]
    class_id: Mapped[int | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL")
    )
    solved_at: Mapped[datetime] = mapped_column(UtcTime)


class HintUse(Base):
    """A hint that a player has opened, at the price it had then."""

    __tablename__ = "hint_uses"

    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    level_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    cost: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Usage(Base):
    """How often a scope was used in a period: quotas are counted here, atomically."""

    __tablename__ = "usage"

    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    period: Mapped[str] = mapped_column(String(20), primary_key=True)
    count: Mapped[int]
