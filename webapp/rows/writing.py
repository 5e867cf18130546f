"""Rows about writing challenges: versions of files, and trials against the models."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime

# The feature that messages to drafts of levels are recorded under.
DRAFT: Final = "draft"


class ContentVersion(Base):
    """A text that a file of the installation's own content once had.

    `path` is relative to the content folder. `what` is saved, published, restored,
    found (on the disk, changed by other means) or deleted; only then `text` is None.
    """

    __tablename__ = "content_versions"
    __table_args__ = (Index(None, "path", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(200))
    what: Mapped[str] = mapped_column(String(12))
    text: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    author: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Trial(Base):
    """Proofs or a calibration that an instructor has asked for in the browser.

    `kind` is prove or calibrate, `thing` the level or the panel (lesson#panel),
    `digest` that of the text that is tried. `state` is waiting, running, finished,
    failed or stopped; `boot_id` says which process works on it.
    """

    __tablename__ = "trials"
    __table_args__ = (Index(None, "thing", "id"), Index(None, "player_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(12))
    thing: Mapped[str] = mapped_column(String(130))
    digest: Mapped[str] = mapped_column(String(64))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12))
    boot_id: Mapped[str] = mapped_column(String(64))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(String(400))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
