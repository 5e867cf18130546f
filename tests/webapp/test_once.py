"""What is made once is made once, by however many threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from webapp.once import once


def test_of_many_threads_one_makes_it() -> None:
    made: list[object] = []
    all_there = Barrier(8)

    @once
    def thing() -> object:
        """A thing."""
        time.sleep(0.1)
        made.append(object())
        return made[-1]

    def ask(_: int) -> object:
        all_there.wait()
        return thing()

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(ask, range(8)))
    assert len(made) == 1
    assert got == made * 8
    assert thing.__doc__ == "A thing."


def test_what_failed_is_tried_again() -> None:
    tries: list[int] = []

    @once
    def thing() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise LookupError
        return len(tries)

    with pytest.raises(LookupError):
        thing()
    assert (thing(), thing()) == (2, 2)
