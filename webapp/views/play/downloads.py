"""The notebook as files: attempts at gates and runs of lessons, newest first."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator

from webapp.domain.learn import keeping
from webapp.domain.learn.keeping import KeptRun
from webapp.domain.play import notebook
from webapp.domain.play.notebook import Entry
from webapp.domain.services import Services


def jsonl(services: Services, *, player_id: int) -> Iterator[str]:
    """Yield one JSON object a line; `kind` is attempt or run."""
    for item in _items(services, player_id):
        kind = "run" if isinstance(item, KeptRun) else "attempt"
        kept = {"kind": kind, **item.as_dict()}
        yield json.dumps(kept, ensure_ascii=False) + "\n"


def markdown(services: Services, *, player_id: int) -> Iterator[str]:
    """Yield a document to read."""
    yield notebook.TITLE
    for item in _items(services, player_id):
        yield from item.as_markdown()


def _items(services: Services, player_id: int) -> Iterator[Entry | KeptRun]:
    return heapq.merge(
        notebook.export(services, player_id=player_id),
        keeping.export(services, player_id=player_id),
        key=_number,
        reverse=True,
    )


def _number(item: Entry | KeptRun) -> int:
    """Return the number of its generation: later ones have higher numbers."""
    return item.run.id if isinstance(item, KeptRun) else item.attempt.id
