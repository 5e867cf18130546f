"""What wakes workers: on a file, in messages that run nothing."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from finetune.jobs.errors import CannotKeep
from finetune.jobs.queue import Queue
from finetune.settings import load_settings


def test_a_wake_reaches_the_worker(tmp_path: Path) -> None:
    settings = load_settings({}, instance=tmp_path)
    woken = threading.Event()
    worker = Queue(settings, work=woken.set)
    consumer = worker.consumer(poll_seconds=0.1)
    consumer.start()
    try:
        Queue(settings).wake()
        assert woken.wait(20)
    finally:
        consumer.stop(graceful=True)
    assert worker.is_empty()


def test_messages_are_no_pickles(tmp_path: Path) -> None:
    Queue(load_settings({}, instance=tmp_path)).wake()
    with sqlite3.connect(tmp_path / "queue.db") as db:
        ((data,),) = db.execute("SELECT data FROM task").fetchall()
    db.close()
    assert json.loads(bytes(data))["name"].endswith("do_what_is_next")


def test_a_queue_that_does_not_answer_is_said(tmp_path: Path) -> None:
    url = "redis://127.0.0.1:1/0"
    queue = Queue(load_settings({}, instance=tmp_path, queue_url=url))
    with pytest.raises(CannotKeep, match="queue of the trainings does not answer"):
        queue.wake()
