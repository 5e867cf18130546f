"""Beginnings of prompts that were read once and serve others too.

llama.cpp saves what it has read as a file. These files have no name and lie in memory,
so nothing of them is left behind, however the process ends.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

# Where a process finds its own open files by their numbers. Not every system has it.
FOLDER = "/proc/self/fd/"
IS_POSSIBLE = hasattr(os, "memfd_create") and Path(FOLDER).is_dir()

# What is kept takes at most this part of the memory of all slots of an engine.
KEPT_PART = 4
# What a shorter step saves is not worth the way to the engine and back.
WORTH_TOKENS = 16


class Shared(NamedTuple):
    """How many tokens at the beginning of a prompt may be kept, and for whom.

    Only callers with the same salt share; the empty one is everybody's.
    """

    tokens: int
    salt: str = ""


def worth_keeping(parts: Iterable[Shared]) -> list[Shared]:
    """Return the parts by size, without those that add little to the one before."""
    kept: list[Shared] = []
    for part in sorted(parts):
        if part.tokens - (kept[-1].tokens if kept else 0) >= WORTH_TOKENS:
            kept.append(part)
    return kept


class MemoryFile:
    """A file in memory, which goes when nobody holds it any more."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("only Linux has files in memory")
        number = os.memfd_create("beginning")
        self.name = str(number)
        weakref.finalize(self, os.close, number)


class Beginnings:
    """What was read of the last beginnings. Safe to use from many threads."""

    def __init__(self, room: int) -> None:
        """`room` is how many tokens they may have together."""
        self._room = room
        # Protects the order and the count.
        self._lock = threading.Lock()
        self._files: OrderedDict[tuple[str, tuple[int, ...]], MemoryFile] = (
            OrderedDict()
        )
        self._tokens = 0

    def get(self, salt: str, ids: Sequence[int]) -> MemoryFile | None:
        """Return what was read of exactly these tokens under this salt."""
        key = (salt, tuple(ids))
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
            return self._files.get(key)

    def put(self, salt: str, ids: Sequence[int], file: MemoryFile) -> None:
        """Keep a file; the ones unused for longest make room."""
        key = (salt, tuple(ids))
        with self._lock:
            self._tokens += 0 if key in self._files else len(ids)
            self._files[key] = file
            while self._tokens > self._room:
                (_, oldest), _ = self._files.popitem(last=False)
                self._tokens -= len(oldest)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._files.clear()
            self._tokens = 0
