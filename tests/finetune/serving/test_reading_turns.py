"""Prompts are read one after the other, in the order they came."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from finetune.serving.engine.fair_queue import FairQueue
from finetune.serving.engine.generation import Finish, Generation

PROGRESS = json.dumps({"prompt_progress": {}})
LAST = json.dumps(
    {
        "choices": [{"finish_reason": "stop", "text": "", "logprobs": None}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
)
TOKEN = json.dumps(
    {"choices": [{"finish_reason": None, "text": "a", "logprobs": None}]}
)


class ScriptedEngine:
    """Reads for a moment, then writes until it is told to end."""

    def __init__(self, slots: int) -> None:
        self.reading = FairQueue(slots=1, waiting=slots)
        self.read: list[int] = []
        self.most_reading = 0
        self._now = 0
        self.may_end = threading.Event()

    def complete(self, request: dict[str, Any], on_chunk: Any, shared: Any) -> None:
        self._now += 1
        self.most_reading = max(self.most_reading, self._now)
        on_chunk(PROGRESS)
        time.sleep(0.02)
        self.read.append(request["number"])
        self._now -= 1
        on_chunk(TOKEN)
        self.may_end.wait(10)
        on_chunk(LAST)


def start(engine: Any, number: int, threads: ThreadPoolExecutor) -> Generation:
    generation = Generation(engine, {"number": number}, (), lambda: None)
    generation.start(threads)
    return generation


def last_event(generation: Generation) -> object:
    return list(generation.events(pause=lambda: 0.0, beat=0.05))[-1]


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_one_prompt_is_read_at_a_time_while_others_write():
    engine = ScriptedEngine(4)
    with ThreadPoolExecutor(4) as threads:
        holder = engine.reading.enter("")
        running = []
        for number in range(4):
            running.append(start(engine, number, threads))
            wait_until(lambda: engine.reading.waiting == len(running))
        holder.leave()
        wait_until(lambda: len(engine.read) == 4)
        assert engine.read == [0, 1, 2, 3]
        assert engine.most_reading == 1
        engine.may_end.set()
        assert all(isinstance(last_event(one), Finish) for one in running)


def test_a_cancelled_one_gives_up_its_turn():
    engine = ScriptedEngine(3)
    engine.may_end.set()
    holder = engine.reading.enter("")
    with ThreadPoolExecutor(2) as threads:
        waits = start(engine, 0, threads)
        waits.cancel()
        time.sleep(0.4)
        holder.leave()
        assert isinstance(last_event(start(engine, 1, threads)), Finish)
    assert engine.read == [1]


def test_the_place_in_line_is_told():
    engine = ScriptedEngine(3)
    engine.may_end.set()
    holder = engine.reading.enter("")
    with ThreadPoolExecutor(2) as threads:
        first, second = (start(engine, number, threads) for number in range(2))
        wait_until(lambda: engine.reading.waiting == 2)
        assert sorted((first.wait_reading(0), second.wait_reading(0))) == [1, 2]
        holder.leave()
        assert first.wait_reading(5) == second.wait_reading(5) == 0
