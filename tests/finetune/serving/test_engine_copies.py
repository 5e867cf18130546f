"""Replies go to the copy of the engine that has fewest of them under way."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from finetune.serving.engine.copies import Engine


class Copy:
    """Stands in for a llama.cpp server: a reply lasts until it may end."""

    listening_address = "http://127.0.0.1:1"
    made: list[Copy]

    def __init__(self, parameters: Any) -> None:
        self.slots = parameters.n_parallel
        self.threads = parameters.cpuparams.n_threads
        self.running = 0
        self.most_running = 0
        self.served = 0
        self.may_end = threading.Event()
        self.made.append(self)

    def handle_completions(self, request: str, on_chunk: Any) -> None:
        self.served += 1
        if "broken" in request:
            raise RuntimeError("broken")
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        assert self.may_end.wait(20)
        self.running -= 1


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[Copy]:
    """Return the copies that engines make from now on."""
    Copy.made = []
    monkeypatch.setattr("xllamacpp.Server", Copy)
    return Copy.made


def heard(chunk: str) -> bool:
    return False


def made(slots: int, number: int) -> Engine:
    return Engine("tiny", Path("tiny.gguf"), slots=slots, context=64, copies=number)


def test_all_slots_in_use_are_shared_evenly(copies: list[Copy]) -> None:
    served = made(5, 2)
    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(served.complete, {}, heard) for _ in range(5)]
        end = time.monotonic() + 20
        while sum(copy.served for copy in copies) < 5:
            assert time.monotonic() < end
            time.sleep(0.01)
        for copy in copies:
            copy.may_end.set()
        for reply in running:
            reply.result()
    assert sorted(copy.most_running for copy in copies) == [2, 3]
    assert all(copy.most_running <= copy.slots == 3 for copy in copies)


def test_a_broken_reply_gives_its_place_back(copies: list[Copy]) -> None:
    served = made(4, 2)
    for copy in copies:
        copy.may_end.set()
    for _ in range(3):
        with pytest.raises(RuntimeError):
            served.complete({"prompt": "broken"}, heard)
    assert [copy.served for copy in copies] == [3, 0]


def test_there_are_never_more_copies_than_slots(copies: list[Copy]) -> None:
    made(1, 2)
    assert [copy.slots for copy in copies] == [1]


@pytest.mark.parametrize(
    ("cores", "number", "threads"), [(1, 1, 1), (2, 2, 1), (4, 2, 1), (8, 2, 3)]
)
def test_copies_and_threads_suit_the_cores(
    monkeypatch: pytest.MonkeyPatch,
    copies: list[Copy],
    cores: int,
    number: int,
    threads: int,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    made(8, 0)
    assert [copy.threads for copy in copies] == [threads] * number
