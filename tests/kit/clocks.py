"""Limits of time, on machines that do other things, too."""

from __future__ import annotations

import os


def patient(seconds: float) -> float:
    """Return a limit for what takes much less than `seconds` on a machine at rest.

    It is longer the more programs wait for a core, so that only what really takes too
    long is found. How quick things are is measured by the benchmarks.
    """
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, 2 * busy)
