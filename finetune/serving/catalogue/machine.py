"""How much memory this process may use."""

from __future__ import annotations

from pathlib import Path

import psutil

# Where a container is told its limit: the newer and the older kind of control groups.
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def usable_memory() -> int:
    """Return the bytes of memory of this machine, or of its container if less."""
    return min([psutil.virtual_memory().total, *map(_limit, _LIMITS)])


def _limit(path: Path) -> int:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):  # no such file, or "max": no limit
        return 1 << 62
