"""What a run tells while it goes: version 1 of its vocabulary.

`train` writes each event as one line of JSON to `events.jsonl`: `"time"` (seconds since
1970), `"event"` (the name below), and the fields of its class. A field that does not
apply is null. Names and meanings stay as they are within a version; a new version is
told by `v`, which the first event of each start carries. Readers ignore the events and
fields that they do not know.

event      field              meaning
started    v                  version of this vocabulary
           name               name of the recipe
           minutes            time budget of the whole run in minutes, or null
           is_resumed         whether it goes on from a checkpoint
missing    file               path of a data file that is not there, and is left out
           licence            its licence, as the recipe says
rows       train              number of rows that are learned from: for a language model
                              packed rows, for a guard messages or replies
           held_out           number of rows kept for judging, or null
           tokens             tokens of documents in `train`, without filling, or null
           answer_share       share of these that are learned from, 0 to 1, or null
stage      stage              name of the stage that begins; a run has one or several
           update             updates that it has made before, 0 from the start
           of                 updates that it makes at most
           learned            number of weights that it changes
           parameters         number of weights of the model in all, those included
           device             where it computes: cpu, cuda:0, …
           precision          fp32 or bf16
step       stage, update, of  how far the stage is, this update included
           loss               mean loss of the updates since the last step event, in
                              nats, or null
           parts              name → mean of each part of which `loss` is the sum
           rate               learning rate of the last update, or null
           tokens             tokens of texts learned from so far in the stage, all
                              processes together. Filling is not counted. For a
                              language model all tokens of its dialogues count, also
                              questions; for a guard the marks around a window, too.
                              Null where a stage does not count them
           tokens_per_second  tokens / seconds
           seconds            seconds of learning so far in the stage: without pauses,
                              judging and writing checkpoints
judged     stage, update      when the model was judged
           figures            name → figure on rows that it does not learn from. At
                              update 0 they are those of the model before it learns:
                              `finished` tells them again, beginning with `base_`
sampled    stage, update      when the model was asked to go on with a text
           prompt             the text that it was given
           text               what it wrote, with chance at the recipe's temperature
smaller    rows               the memory ran out: so many rows are worked on at a time
                              from now on, and the update is made again
           accumulate         batches of that size before each update. An update has
                              the same rows as before, and learns the same
saved      stage, update, seconds  a checkpoint was written
paused     stage, update      somebody asked the run to wait; its clock stands still
continued  stage, update      it goes on
stopped    stage, update      somebody asked the run to end. It can go on from here
finished   figures            name → figure of the finished model
           seconds            seconds that the whole run took, pauses left out
failed     message            why the run cannot go on, one sentence for a person

After a crash a run goes on from its last checkpoint, so that the steps since then are
told twice; after `stopped` none is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

VERSION = 1
EVENTS = "events.jsonl"
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a run tells; the docstring of this module says what each is."""

    event: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    """The run begins, or goes on."""

    event = "started"
    v: int = VERSION
    name: str
    minutes: float | None
    is_resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMissing(Event):
    """A data file is not there."""

    event = "missing"
    file: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead(Event):
    """The data is there."""

    event = "rows"
    train: int
    held_out: int | None = None
    tokens: int | None = None
    answer_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageBegan(Event):
    """A stage begins, or goes on."""

    event = "stage"
    stage: str
    update: int
    of: int
    learned: int
    parameters: int
    device: str
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Event):
    """Some updates were made."""

    event = "step"
    stage: str
    update: int
    of: int
    loss: float | None
    parts: Figures
    rate: float | None
    tokens: int | None
    tokens_per_second: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Event):
    """The model was judged on rows that it does not learn from."""

    event = "judged"
    stage: str
    update: int
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled(Event):
    """The model went on with a text."""

    event = "sampled"
    stage: str
    update: int
    prompt: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Smaller(Event):
    """The memory was not enough; fewer rows are worked on at a time."""

    event = "smaller"
    rows: int
    accumulate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved(Event):
    """A checkpoint was written."""

    event = "saved"
    stage: str
    update: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(Event):
    """The run waits."""

    event = "paused"
    stage: str
    update: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued(Event):
    """The run goes on after a pause."""

    event = "continued"
    stage: str
    update: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Event):
    """The run ends because somebody asked; its checkpoint is written."""

    event = "stopped"
    stage: str
    update: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """The model is complete."""

    event = "finished"
    figures: Figures
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """The run cannot go on."""

    event = "failed"
    message: str


Emit = Callable[[Event], None]


def record(event: Event) -> dict[str, Any]:
    """Return an event as it is written: `{"event": name, …its fields}`."""
    return {
        "event": event.event,
        **{field.name: getattr(event, field.name) for field in fields(event)},
    }


def ignore(event: Event) -> None:
    """Hear an event, and do nothing."""
