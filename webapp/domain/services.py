"""What the use cases need from the outside, in one record."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from webapp.content.store import ContentStore
from webapp.db import Database
from webapp.domain.boots import Boot
from webapp.llm.gateway import Gateway
from webapp.llm.tokenizers import TokenizerClient
from webapp.llm.training import TrainingClient
from webapp.settings import Settings


def utc_now() -> datetime:
    """Return the current moment, aware, in UTC."""
    return datetime.now(UTC)


def random_seed() -> int:
    """Return a sampling seed; it decides style, never a secret."""
    return random.randrange(2**31)  # noqa: S311 -- not used for anything secret


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, storage, content and models of this process, and its clock."""

    settings: Settings
    db: Database
    content: ContentStore
    gateway: Gateway
    boot: Boot
    key: bytes = field(repr=False)
    training: TrainingClient = field(default_factory=TrainingClient)
    tokenizers: TokenizerClient = field(default_factory=TokenizerClient)
    now: Callable[[], datetime] = utc_now
    seed: Callable[[], int] = random_seed
