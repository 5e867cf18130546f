"""Keeps the newest valid content ready while authors edit the files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from webapp.content.files import Signature, find_files, signature
from webapp.content.index import Index
from webapp.content.loader import Loaded, load
from webapp.errors import ContentError
from webapp.reading.problems import Problem, format_problem

# A file younger than this may still be half written; it is looked at again soon.
_SETTLE_SECONDS = 0.3


class ContentStore:
    """Serves a snapshot of the content roots; looks for edits when it is asked.

    There is no watcher thread: the first request after `poll_seconds` compares the
    files' times and sizes. A game with an error never replaces the last good one, and
    a lesson with an error keeps only its own last good version.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        poll_seconds: float = 1.0,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._roots = tuple(roots)
        self._poll_seconds = poll_seconds
        self._clock = clock
        # Held while the files are read, so that one thread does it and the others
        # carry on with the snapshot they have.
        self._lock = threading.Lock()
        self._seen = self._look()
        self._pending: Signature | None = None
        self._next_look = 0.0
        self._checked = clock()
        loaded = load(self._roots)
        self._problems = tuple(loaded.problems)
        if loaded.index is None:
            raise ContentError(_summary(self._problems))
        self._index: Index = loaded.index
        self._memory = loaded.memory
        self._stale = _has_error(loaded)
        self._wait(poll_seconds)

    def current(self) -> Index:
        """Return the newest valid content."""
        self._refresh()
        return self._index

    def problems(self) -> list[Problem]:
        """Return what is wrong with the files as they are now, warnings included."""
        self._refresh()
        return list(self._problems)

    @property
    def stale(self) -> bool:
        """Whether the files have an error, so that older content is being served."""
        self._refresh()
        return self._stale

    def _refresh(self) -> None:
        now = self._clock()
        # A clock that was set back must not stop the edits.
        if self._checked <= now < self._next_look or not self._lock.acquire(False):
            return
        try:
            self._check()
        finally:
            self._lock.release()

    def _check(self) -> None:
        files = find_files(self._roots)
        current = signature(files)
        if current == self._seen:
            self._pending = None
            self._wait(self._poll_seconds)
            return
        newest = max((file.mtime_ns for file in files.values()), default=0) / 1e9
        is_fresh = newest > self._clock() - _SETTLE_SECONDS
        if is_fresh and current != self._pending:
            self._pending = current
            self._wait(min(self._poll_seconds, _SETTLE_SECONDS))
            return
        self._replace(current)

    def _replace(self, current: Signature) -> None:
        loaded = load(self._roots, self._memory)
        if self._look() != current:
            # Somebody saved while we read: this may be half old and half new.
            self._pending = None
            self._wait(min(self._poll_seconds, _SETTLE_SECONDS))
            return
        self._seen, self._pending = current, None
        self._problems = tuple(loaded.problems)
        self._memory = loaded.memory
        self._stale = _has_error(loaded)
        if loaded.index is not None:
            self._index = loaded.index
        self._wait(self._poll_seconds)

    def _look(self) -> Signature:
        return signature(find_files(self._roots))

    def _wait(self, seconds: float) -> None:
        self._checked = self._clock()
        self._next_look = self._checked + seconds


def _has_error(loaded: Loaded) -> bool:
    return any(problem.is_error for problem in loaded.problems)


def _summary(problems: Sequence[Problem]) -> str:
    errors = [format_problem(p) for p in problems if p.is_error]
    more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
    return "The content cannot be used: " + "\n".join(errors[:3]) + more
