"""Rows about calibrations: how often levels were beaten, and by what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UtcTime


class Calibration(Base):
    """One run of `./wordkeep calibrate`. `body` holds the whole report.

    The report names the content hash and the model of each level, so a level that has
    changed since can be told from one that has not.
    """

    __tablename__ = "calibrations"
    __table_args__ = (Index(None, "ladder_id", "made_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ladder_id: Mapped[str] = mapped_column(String(64))
    attacks_hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
