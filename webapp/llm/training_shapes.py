"""What the sidecar says about training, as it is read; what is unknown is left out."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


def _or_zero(value: Any) -> Any:
    return 0 if value is None else value


def _finite(value: Any) -> Any:
    is_odd = isinstance(value, float) and not math.isfinite(value)
    return None if is_odd else value


# A figure that is not known yet may come as null.
Count = Annotated[int, BeforeValidator(_or_zero)]
Figure = Annotated[float | None, BeforeValidator(_finite)]


class Base(_Shape):
    """A model that training can begin with, measured on this machine or not yet."""

    name: str
    title: str = ""
    parameters: Count = 0
    bytes: Count = 0
    licence: str = ""
    kind: str = "base"
    tokens_per_second: Figure = None
    memory_bytes: int | None = None
    measured: bool = False
    fits: bool = True
    about: str = ""
    # One of the hub that is not on this computer and cannot be fetched now; and why.
    available: bool = True
    problem: str | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it has learned nothing yet."""
        return self.kind == "fresh"


class BaseList(_Shape):
    data: tuple[Base, ...]


class Shipped(_Shape):
    """A set of data that comes with the program."""

    id: str
    title: str
    about: str = ""
    licence: str = ""
    columns: tuple[str, ...] = ()
    text: str = ""
    answer: str | None = None
    is_chat: bool = False
    rows: Count = 0


class ShippedList(_Shape):
    data: tuple[Shipped, ...]


class StoredFile(_Shape):
    """A file that was uploaded."""

    id: str
    filename: str = ""
    bytes: Count = 0
    status: str = "processed"
    # Which part of which data set of the hub it is, and its licence.
    origin: dict[str, Any] | None = None


class Rendered(_Shape):
    """A row as the model reads it."""

    text: str = ""
    answer: str | None = None


class RowList(_Shape):
    """Rows of a part of the data of a job."""

    data: tuple[Rendered, ...]
    has_more: bool = False


class Verdict(_Shape):
    """A sentence about the data, and how bad it is."""

    level: str = "warning"
    text: str = ""


class Lengths(_Shape):
    """How long the rows are, in tokens: a histogram."""

    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    median: float = 0
    p95: float = 0


class Figures(_Shape):
    """What was counted in a file."""

    rows: Count = 0
    train: Count = 0
    validation: Count = 0
    test: Count = 0
    empty: Count = 0
    exact_duplicates: Count = 0
    near_duplicates: Count = 0
    tokens: Count = 0
    tokens_per_epoch: Count = 0
    bytes: Count = 0
    lengths: Lengths = Lengths()
    scripts: dict[str, float] = Field(default_factory=dict)
    language: str = ""
    verdicts: tuple[Verdict, ...] = ()


class Report(_Shape):
    """A file as it was read, some of its rows, and what there is to say of it."""

    format: str = ""
    encoding: str = ""
    repaired: Count = 0
    columns: tuple[str, ...] = ()
    rows: Count = 0
    text: str = ""
    answer: str | None = None
    preview: tuple[dict[str, Any], ...] = ()
    rendered: tuple[Rendered, ...] = ()
    report: Figures = Figures()


class Estimate(_Shape):
    """What a job would take on this machine."""

    tokens_per_epoch: Count = 0
    tokens: Count = 0
    updates: Count = 0
    seconds: float = 0.0
    flops: float = 0.0
    memory_bytes: Count = 0
    memory_free_bytes: int | None = None
    fits: bool = True
    learned: Count = 0
    parameters: Count = 0
    tokens_per_second: Figure = None
    measured: bool = False
    sentence: str = ""


class Progress(_Shape):
    """How far a job is."""

    update: Count = 0
    of: Count = 0
    epoch: Annotated[float, BeforeValidator(_or_zero)] = 0.0
    loss: Figure = None
    heldout_loss: Figure = None
    tokens_per_second: Figure = None
    seconds: Annotated[float, BeforeValidator(_or_zero)] = 0.0
    seconds_left: Figure = None
    yielding: bool = False


class JobError(_Shape):
    """Why a job failed."""

    code: str | None = None
    message: str = ""


class Job(_Shape):
    """A run, as the sidecar keeps it."""

    id: str
    status: str
    model: str = ""
    fine_tuned_model: str | None = None
    created_at: Count = 0
    finished_at: int | None = None
    error: JobError | None = None
    # Why a model that was trained cannot be prompted here; it can be downloaded.
    not_served: str | None = None
    trained_tokens: int | None = None
    training_file: str = ""
    seed: int | None = None
    position: int | None = None
    wait_seconds: Figure = None
    recipe: dict[str, Any] = Field(default_factory=dict)
    progress: Progress | None = None
    figures: dict[str, Any] | None = None
    can_resume: bool = False
    machine: Any = None
    metadata: dict[str, Any] | None = None
    # How far the judging on the locked part is: waiting, running or done.
    test: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status in {"succeeded", "failed", "cancelled"}


class JobList(_Shape):
    data: tuple[Job, ...]


class Pushed(_Shape):
    """Where a model is now, at the hub."""

    url: str


class Judged(_Shape):
    """A message that was judged by networks that had not learned from it."""

    text: str
    # 1 is an attack.
    label: int
    score: float

    @property
    def is_wrong(self) -> bool:
        """Whether it would have been let through, or stopped, wrongly."""
        return (self.score >= 0.5) != bool(self.label)


class JudgedList(_Shape):
    data: tuple[Judged, ...]


class Measure(_Shape):
    """A figure of a benchmark: before training, where there is one, and after."""

    name: str
    before: float | None
    after: float
    # Standard errors.
    before_error: float | None
    after_error: float | None


class Benchmark(_Shape):
    """A benchmark that a model was asked, and what it began as beside it."""

    task: str
    # 0 where it is not told.
    questions: Count = 0
    is_chat: bool = False
    figures: dict[str, float] = Field(default_factory=dict)
    base: dict[str, float] = Field(default_factory=dict)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was measured, each with its standard error where there is one."""
        return tuple(
            Measure(
                name=name,
                before=self.base.get(name),
                after=after,
                before_error=self.base.get(f"{name}_stderr"),
                after_error=self.figures.get(f"{name}_stderr"),
            )
            for name, after in self.figures.items()
            if not name.endswith("_stderr")
        )


class BenchmarkList(_Shape):
    data: tuple[Benchmark, ...]


class JobEvent(_Shape):
    """One thing that happened in a job."""

    created_at: Count = 0
    level: str = "info"
    message: str = ""
    type: str = "message"


class EventList(_Shape):
    data: tuple[JobEvent, ...]


class SampleText(_Shape):
    """What the model wrote at some point of its training."""

    update: Count = 0
    prompt: str = ""
    text: str = ""


Point = tuple[float, Figure]


class Curves(_Shape):
    """Losses, rates and speeds by update, and samples."""

    train: tuple[Point, ...] = ()
    heldout: tuple[Point, ...] = ()
    rate: tuple[Point, ...] = ()
    speed: tuple[Point, ...] = ()
    samples: tuple[SampleText, ...] = ()
