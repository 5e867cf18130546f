"""What is known of one training job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from finetune.jobs.states import Status, Wish

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What a job is made of. `recipe` is whole, `asked` is what the caller sent.

    `name` is that of its model; `expected` are the seconds that it is likely to take.
    """

    user: str
    name: str
    model: str
    training_file: str
    asked: Json
    recipe: Json
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(NewJob):
    """A job as it is now. Times are seconds since 1970; 0: not yet.

    `worker` is who has it, `heard` when that was last heard, `machine` where it was
    done last. `losses` counts the workers that died of it. `test` tells of the judging
    on the locked part: "", waiting, running or done.
    """

    number: int
    id: str
    created: float
    status: Status
    wish: Wish = ""
    worker: str = ""
    machine: str = ""
    heard: float = 0.0
    is_interrupted: bool = False
    is_yielding: bool = False
    losses: int = 0
    started: float = 0.0
    finished: float = 0.0
    error: str = ""
    figures: Json = field(default_factory=dict)
    tokens: int = 0
    test: str = ""
