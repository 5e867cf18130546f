"""Huey as it is used here: on a file or on Redis, with messages in JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from huey import RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from finetune.settings import Settings

_NAME: Final = "wordkeep-training"


class _AsJson(Serializer):  # type: ignore[misc]
    """Messages as JSON: Huey's own are pickles, which run what others put into them."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data._asdict()).encode()

    def _deserialize(self, data: bytes) -> Any:
        told = json.loads(data)
        return Message(**{name: told.get(name) for name in Message._fields})


def open_huey(settings: Settings) -> Any:
    """Return the queue of an instance, or of the server that the settings name."""
    chosen = {"results": False, "serializer": _AsJson()}
    if settings.queue_url:
        return RedisHuey(_NAME, url=settings.queue_url, **chosen)
    settings.instance.mkdir(parents=True, exist_ok=True)
    return SqliteHuey(_NAME, filename=str(settings.instance / "queue.db"), **chosen)
