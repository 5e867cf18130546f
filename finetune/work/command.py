"""`python -m finetune work`: train what waits, one job after the other.

It gives way to every other program of the computer, and until the first job comes it
takes next to nothing. SIGTERM or Ctrl-C end it after the update that it is making: the
job goes on when a worker is there again, from the checkpoint that is written then.
After a kill it goes on from the last one. Several workers may share an instance.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from finetune.jobs.errors import CannotKeep
from finetune.jobs.learning import Learning
from finetune.jobs.queue import Queue
from finetune.settings import Settings
from finetune.weights.depot import DepotError, DepotRefused
from finetune.work.alive import alive
from finetune.work.play import Engine
from finetune.work.worker import Trainer, Worker

_NICENESS: Final = 10
_SESSION: Final = Path("/proc/self/autogroup")
_TICK_SECONDS: Final = 0.25
# How often it looks for jobs whose worker was killed, and for messages that were lost.
_LOOK_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 1.0  # of a queue in a file; Redis wakes at once

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `work`."""
    parser.add_argument(
        "--socket", help="Unix socket of the sidecar (default: in the instance)"
    )
    parser.add_argument("--once", action="store_true", help="end when nothing waits")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Work until a signal says stop; raise CannotKeep if the queue cannot be used."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("finetune").setLevel(logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_briefly)
    _give_way()
    learning = Learning(settings)
    _check(learning)
    worker = Worker(
        store=learning.jobs,
        runs=learning.runs,
        engine=Engine(settings),
        load_trainer=lambda: _trainer(learning),
        place=learning.place,
    )
    if chosen.once:
        worker.work()
        return 0
    with alive(settings.instance / "run"):
        _serve(worker, learning, Queue(settings, work=worker.work))
    return 0


def _give_way() -> None:
    """Leave the cores to every other program, where one may.

    Linux gives each session the same share first, and a nice value counts within its
    session only (sched(7), the autogroup feature). The worker of `wordkeep up` has a
    session of its own, which is made as nice as the worker.
    """
    with suppress(OSError):
        os.nice(_NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # a system without sessions of this kind
            _SESSION.write_text(str(_NICENESS))


def _briefly(record: logging.LogRecord) -> bool:
    """Keep a line of Huey's without its traceback: Redis is away, each second anew."""
    if record.name.startswith("huey.consumer"):
        record.exc_info = None
    return True


def _check(learning: Learning) -> None:
    """See that the depot lets us in; one that only does not answer may come back."""
    try:
        learning.depot.check()
    except DepotRefused:
        raise
    except DepotError as error:
        _log.warning("%s", error)


def _trainer(learning: Learning) -> Trainer:
    from finetune.work.trainer import LocalTrainer  # noqa: PLC0415 -- slow import

    return LocalTrainer(learning)


def _serve(worker: Worker, learning: Learning, queue: Queue) -> None:
    consumer = queue.consumer(poll_seconds=_POLL_SECONDS)
    consumer.start()
    has_signal = False

    def leave(number: int, frame: object) -> None:
        nonlocal has_signal
        has_signal = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    looked = 0.0
    while not has_signal:
        if time.monotonic() - looked > _LOOK_SECONDS:
            _look(worker, learning, queue)
            looked = time.monotonic()
        time.sleep(_TICK_SECONDS)
    worker.leaving.set()
    consumer.stop_flag.set()
    # Its other thread only sleeps, and ends with the process.
    for _, thread in consumer.worker_threads:
        thread.join()


def _look(worker: Worker, learning: Learning, queue: Queue) -> None:
    """Wake a worker if there is work that none was woken for."""
    try:
        has_work = learning.jobs.has_work()
    except CannotKeep as error:
        _log.warning("%s", error)
        return
    try:
        if has_work and queue.is_empty():
            queue.wake()
    except CannotKeep as error:
        # Nobody can be woken; this worker is awake.
        _log.warning("%s", error)
        threading.Thread(target=worker.work, name="unwoken", daemon=True).start()
