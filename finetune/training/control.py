"""What others want of a run: that it waits, goes on, or ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Within this time a second signal is the same wish: a terminal and a launcher both
# tell each process.
_SAME_WISH_SECONDS = 1.0


class Control:
    """Asks a run to wait or to end; the run looks between two updates.

    Safe to use from another thread and from a signal handler: it only sets flags.
    """

    def __init__(self) -> None:
        self.is_pausing = False
        self.is_stopping = False

    def pause(self) -> None:
        """Ask the run to wait after the update that it is making."""
        self.is_pausing = True

    def resume(self) -> None:
        """Let a waiting run go on."""
        self.is_pausing = False

    def stop(self) -> None:
        """Ask the run to write a checkpoint and end, also while it waits."""
        self.is_stopping = True


@contextmanager
def obeying_signals(control: Control) -> Iterator[None]:
    """Let signals reach a run inside the block; then they do what they did before.

    SIGINT (Ctrl-C) and SIGTERM: end after this update. A second one, at least a second
    later, does what it would have done without us: it ends the process at once.
    SIGUSR1: wait. SIGUSR2: go on. Only the main thread of a process can do this.
    """
    asked: float | None = None

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked is not None and time.monotonic() - asked > _SAME_WISH_SECONDS:
            signal.signal(number, before[number])
            signal.raise_signal(number)
        asked = time.monotonic() if asked is None else asked
        control.stop()

    def pause(number: int, frame: FrameType | None) -> None:
        control.pause()

    def resume(number: int, frame: FrameType | None) -> None:
        control.resume()

    handlers = {
        signal.SIGINT: stop,
        signal.SIGTERM: stop,
        signal.SIGUSR1: pause,
        signal.SIGUSR2: resume,
    }
    before: dict[int, Any] = {
        number: signal.signal(number, handler) for number, handler in handlers.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
