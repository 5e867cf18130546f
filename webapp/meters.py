"""What the site counts about itself, for Prometheus.

No label names a person, and each has few values: routes as they are written in the
code, statuses, features, and the levels of the content. With PROMETHEUS_MULTIPROC_DIR
in the environment, all processes of a site count together.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Half of all lines would be the moments at which counting began.
disable_created_metrics()  # type: ignore[no-untyped-call]

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_OWN: Final = CollectorRegistry()
# A page takes hundredths of a second, a reply that is waited for as a whole a minute.
_BUCKETS: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0)

REQUESTS: Final = Counter(
    "wordkeep_requests",
    "Requests that were answered.",
    ("route", "method", "status"),
    registry=_OWN,
)
SECONDS: Final = Histogram(
    "wordkeep_request_seconds",
    "Seconds until an answer began; a stream goes on after that.",
    ("route",),
    buckets=_BUCKETS,
    registry=_OWN,
)
ATTEMPTS: Final = Counter(
    "wordkeep_attempts", "Attempts that ended.", ("level", "status"), registry=_OWN
)
GENERATIONS: Final = Counter(
    "wordkeep_generations",
    "Calls of a model that ended, attempts among them.",
    ("feature", "status"),
    registry=_OWN,
)
TOKENS: Final = Counter(
    "wordkeep_tokens",
    "Tokens that models read and wrote.",
    ("feature", "kind"),
    registry=_OWN,
)
SIGN_UPS: Final = Counter("wordkeep_sign_ups", "People who were added.", registry=_OWN)


def registry() -> CollectorRegistry:
    """Return a registry with what this site has counted, in all its processes."""
    found = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    else:
        found.register(_OWN)
    return found


def forget_process(pid: int) -> None:
    """Tell that a process of the site has ended; what it counted stays."""
    if os.environ.get(FOLDER):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def count_generation(
    *,
    feature: str,
    level: str | None,
    status: str,
    prompt_tokens: int | None,
    reply_tokens: int | None,
) -> None:
    """Count a generation that has ended and is saved; attempts have a `level`."""
    GENERATIONS.labels(feature, status).inc()
    if level is not None:
        ATTEMPTS.labels(level, status).inc()
    TOKENS.labels(feature, "read").inc(prompt_tokens or 0)
    TOKENS.labels(feature, "written").inc(reply_tokens or 0)
