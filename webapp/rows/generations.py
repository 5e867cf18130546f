"""Rows about models: every call of a chat model that somebody asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    String,
    Text,
    false,
    literal,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

RUNNING, FINISHED, BLOCKED = "running", "finished", "blocked"
STOPPED, FAILED, INTERRUPTED = "stopped", "failed", "interrupted"
# The feature that an attempt which is shown again is recorded under: nobody's.
DEMO = "demo"
# Answered by the site itself: somebody in distress, a dangerous request.
HELPED, REFUSED = "helped", "refused"
# Why a message is listed for those who teach, beside the two above.
RUDE: Final = "rude"
# What counts as used: the player got, or could have got, something out of it.
COUNTED = (FINISHED, BLOCKED, STOPPED)


class Generation(Base):
    """One call of a chat model, for whichever feature, and how it went.

    `player_id` is who asked; None where a command did. `feature` is what it was asked
    for; some features add columns of their own in a table that inherits from this one.
    `prompt` is what the model was sent, a list of messages or a text; None where other
    rows give it again. `settings` say how the reply was sampled, `seed` from where.
    """

    __tablename__ = "generations"
    __table_args__: tuple[Index, ...] = (
        Index(None, "player_id", "feature", "id"),
        Index(
            "ix_generations_running",
            "boot_id",
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
        # Few of very many: what the site answered itself, for those who teach.
        Index(
            "ix_generations_flagged",
            "player_id",
            sqlite_where=text("status IN ('helped', 'refused')"),
            postgresql_where=text("status IN ('helped', 'refused')"),
        ),
        Index(
            "ix_generations_rude",
            "player_id",
            sqlite_where=text("is_rude IS 1"),
            postgresql_where=text("is_rude IS true"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int | None] = mapped_column(
        ForeignKey("players.id", ondelete="CASCADE")
    )
    feature: Mapped[str] = mapped_column(String(20))
    boot_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(12), default=RUNNING)
    model: Mapped[str] = mapped_column(String(120))
    prompt: Mapped[list[dict[str, Any]] | str | None] = mapped_column(
        JSON(none_as_null=True)
    )
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    seed: Mapped[int]
    reply: Mapped[str | None] = mapped_column(Text)
    # What a model that thinks wrote before its reply; it may hold the password.
    thoughts: Mapped[str | None] = mapped_column(Text)
    prompt_tokens: Mapped[int | None]
    reply_tokens: Mapped[int | None]
    first_token_ms: Mapped[int | None]
    ms: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(200))
    # Whether a student typed rude words, for those who teach the class.
    is_rude: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)


# Written out in the statement: no plan uses the partial index for a parameter.
IS_RUNNING: Final = Generation.status == literal(RUNNING, literal_execute=True)
IS_FLAGGED: Final = Generation.status.in_(
    [literal(one, literal_execute=True) for one in (HELPED, REFUSED)]
)
IS_RUDE: Final = Generation.is_rude.is_(true())
