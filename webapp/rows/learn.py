"""Rows about learning: runs of panels, how far somebody is, answers, the gallery.

What players show of gates lies in the same gallery.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime
from webapp.rows.generations import Generation

# The feature that runs of panels are recorded under.
PANEL = "panel"


class Practice(Generation):
    """A run of a panel: one press of Generate, with as many samples as it took.

    `typed` is what the student wrote, by slot. Each sample is a reply with its hidden
    values, seed and outcomes. `result` is None until it is judged, and stays None for a
    run that was stopped or failed. `panel_hash` is that of the panel as it was then,
    `model_version` that of the weights; "" where the endpoint tells none.
    """

    __tablename__ = "practices"
    __table_args__ = (Index(None, "lesson_id", "panel", "id"),)

    id: Mapped[int] = mapped_column(
        ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True
    )
    lesson_id: Mapped[str] = mapped_column(String(80))
    panel: Mapped[str] = mapped_column(String(40))
    panel_hash: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String(120))
    typed: Mapped[dict[str, Any]] = mapped_column(JSON)
    samples: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # passed, failed or ungraded
    result: Mapped[str | None] = mapped_column(String(12))
    # The solution had been seen shortly before.
    is_helped: Mapped[bool] = mapped_column(default=False, server_default=false())
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


class PanelState(Base):
    """How far a player is with a panel; it only ever gets better.

    `best` is the highest score of a run, in 0..1. `passed_hash` and `passed_version`
    say which panel and which weights the pass was on.
    """

    __tablename__ = "panel_states"

    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    lesson_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    panel: Mapped[str] = mapped_column(String(40), primary_key=True)
    best: Mapped[float] = mapped_column(default=0.0)
    # The first pass, and whether no pass so far was without help.
    passed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    is_helped: Mapped[bool] = mapped_column(default=False, server_default=false())
    passed_hash: Mapped[str] = mapped_column(String(64), default="")
    passed_version: Mapped[str] = mapped_column(String(120), default="")
    solution_seen_at: Mapped[datetime | None] = mapped_column(UtcTime)
    # Runs that were judged, the last of them, and the last that beat all before it.
    runs: Mapped[int] = mapped_column(default=0, server_default="0")
    run_at: Mapped[datetime | None] = mapped_column(UtcTime)
    progress_at: Mapped[datetime | None] = mapped_column(UtcTime)


class PanelHint(Base):
    """A hint of a panel that a player has opened."""

    __tablename__ = "panel_hints"

    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    lesson_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    panel: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class QuestionAnswer(Base):
    """What a player answered to a question: a choice, lines in order, or a text.

    `is_right` is None where nothing is right or wrong. `concern` is set where the site
    itself answered: somebody in distress, say.
    """

    __tablename__ = "question_answers"

    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    lesson_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    question: Mapped[str] = mapped_column(String(40), primary_key=True)
    answer: Mapped[Any] = mapped_column(JSON)
    is_right: Mapped[bool | None]
    tries: Mapped[int] = mapped_column(default=0)
    concern: Mapped[str | None] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    answered_at: Mapped[datetime] = mapped_column(UtcTime)


class GalleryPiece(Base):
    """A run or an attempt that its player shows to the class, once they can do it too.

    `thing` is the id of a lesson, or of a level: then `panel` is "".
    """

    __tablename__ = "gallery_pieces"
    __table_args__ = (
        UniqueConstraint("player_id", "thing", "panel"),
        Index(None, "thing", "panel"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    generation_id: Mapped[int] = mapped_column(
        ForeignKey("generations.id", ondelete="CASCADE")
    )
    thing: Mapped[str] = mapped_column(String(80))
    panel: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text, default="")
    # By an instructor.
    is_hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class PieceVote(Base):
    """A player of the class who likes a piece of somebody else."""

    __tablename__ = "piece_votes"
    __table_args__ = (Index(None, "player_id"),)

    piece_id: Mapped[int] = mapped_column(
        ForeignKey("gallery_pieces.id", ondelete="CASCADE"), primary_key=True
    )
    player_id: Mapped[int] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE"), primary_key=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcTime)
