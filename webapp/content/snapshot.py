"""Content that is not on the disk: what a draft would be like."""

from __future__ import annotations

from webapp.content.index import Index
from webapp.content.store import ContentStore
from webapp.reading.problems import Problem


class Snapshot(ContentStore):
    """A store of one index. It looks at no files, so it never changes."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def current(self) -> Index:
        """Return the content that it was made of."""
        return self._index

    def problems(self) -> list[Problem]:
        """Return nothing: what has errors makes no index."""
        return []

    @property
    def stale(self) -> bool:
        """There is nothing newer."""
        return False
