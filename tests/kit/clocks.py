"""Limits of time, on machines that do other things, too."""

from __future__ import annotations

import os
import time


def patient(seconds: float) -> float:
    """Return a limit for what takes much less than `seconds` on a machine at rest.

    It is longer the more programs wait for a core, so that only what really takes too
    long is found. How quick things are is measured by the benchmarks.
    """
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, 2 * busy)


def nap(since: float) -> None:
    """Sleep between two looks at what began at `since`, of `time.monotonic`.

    The longer it takes, the more seldom one looks: a question a hundred times a second
    keeps both sides from their work. An answer is seen a twentieth later at most.
    """
    time.sleep(min(0.25, max(0.005, (time.monotonic() - since) / 20)))
