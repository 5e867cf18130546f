"""What is made when it is first needed, and then kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Return `make`, called once at most.

    Of many threads that need it at the same moment, one makes it and the others wait.
    With `functools.cache` each would make its own, and all of them take far longer.
    """
    lock = Lock()
    kept = cache(make)

    @wraps(make)
    def ask() -> T:
        with lock:
            return kept()

    return ask
