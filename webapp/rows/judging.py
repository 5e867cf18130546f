"""Rows about judging: models compared row by row, and votes between two of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# What a person may think of a reply.
GRADES: Final = ("good", "okay", "bad")
LEFT, RIGHT, EVEN, SKIPPED = "left", "right", "even", "skipped"
VERDICTS: Final = (LEFT, RIGHT, EVEN, SKIPPED)


class Comparison(Base):
    """Two models that are asked the same, for a player who looks at a trained one.

    `form` marks the form that it was asked for with, so that one sent twice is one.
    `sides` say of each of the two its model, title, and how it is prompted; `settings`
    how long replies are, how they are sampled, and where the prompts are from.
    `is_judged` is whether its rows have been looked at; `note` what could not be.
    `rubric` is what the model `judge` chooses the better reply by; None: not asked.
    """

    __tablename__ = "comparisons"
    __table_args__ = (
        UniqueConstraint("player_id", "form"),
        Index(None, "player_id", "model_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    model_id: Mapped[int] = mapped_column(
        ForeignKey("trained_models.id", ondelete="CASCADE")
    )
    form: Mapped[str] = mapped_column(String(64))
    sides: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_judged: Mapped[bool] = mapped_column(default=False, server_default=false())
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    rubric: Mapped[str | None] = mapped_column(Text)
    judge: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ComparedRow(Base):
    """A prompt of a comparison, and what came of it.

    `replies` are those of the first and second model, as far as they were asked.
    `judged` is what was found in each, in the same order. `grades` are a person's, by
    `first` and `second`. `picks` are what a judge model said, asked in both orders.
    """

    __tablename__ = "compared_rows"
    __table_args__ = (UniqueConstraint("comparison_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(
        ForeignKey("comparisons.id", ondelete="CASCADE")
    )
    place: Mapped[int]
    prompt: Mapped[str] = mapped_column(Text)
    target: Mapped[str | None] = mapped_column(Text)
    # Known after judging: the model learned from it, so this row proves nothing.
    is_learned: Mapped[bool] = mapped_column(default=False, server_default=false())
    replies: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    judged: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    grades: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    picks: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


class Duel(Base):
    """Two models, the same prompt, and which of them a player liked better, blind.

    `low_id` and `high_id` are the pair in the order of their ids: each player meets a
    pair once. `is_swapped` is whether the higher one is on the left. `replies` are
    those of the left and of the right one. `class_id` is the voter's class then.
    """

    __tablename__ = "duels"
    __table_args__ = (
        UniqueConstraint("player_id", "low_id", "high_id"),
        Index(None, "class_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    class_id: Mapped[int | None] = mapped_column(
        ForeignKey("classes.id", ondelete="CASCADE")
    )
    low_id: Mapped[int] = mapped_column(
        ForeignKey("trained_models.id", ondelete="CASCADE")
    )
    high_id: Mapped[int] = mapped_column(
        ForeignKey("trained_models.id", ondelete="CASCADE")
    )
    is_swapped: Mapped[bool]
    prompt: Mapped[str] = mapped_column(Text)
    seed: Mapped[int]
    replies: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    verdict: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    voted_at: Mapped[datetime | None] = mapped_column(UtcTime)
