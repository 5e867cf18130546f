"""The states of a job, and what may be asked of it in each.

    queued ──take──▶ running ──▶ succeeded
      │ ▲              │ │ └────▶ failed ────┐
      │ └──(worker lost)┘ └─────▶ cancelled ─┤ resume: queued again, from the
      └── pause ──▶ paused ◀─pause┘    └─────┘ checkpoint
                     └─ resume, cancel

A running job is not changed from outside: a wish is noted, which its worker fulfils
after the update that it is making.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Status = Literal[
    "validating_files",
    "queued",
    "running",
    "paused",
    "succeeded",
    "failed",
    "cancelled",
]
# keep: end the learning now, and make a model of what was learned.
Action = Literal["pause", "cancel", "resume", "keep", "test"]
Wish = Literal["", "pause", "cancel", "keep"]

ALLOWED: Final[Mapping[Action, frozenset[Status]]] = {
    "pause": frozenset({"queued", "running"}),
    "cancel": frozenset({"queued", "running", "paused"}),
    "resume": frozenset({"paused", "failed", "cancelled"}),
    "keep": frozenset({"running", "paused", "failed", "cancelled"}),
    "test": frozenset({"succeeded"}),
}
ENDED: Final[frozenset[Status]] = frozenset({"succeeded", "failed", "cancelled"})
# What a stop for this reason makes of a job that was waiting or running.
AFTER: Final[Mapping[str, Status]] = {"pause": "paused", "cancel": "cancelled"}
