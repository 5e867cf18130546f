"""Runs of training: begun, followed and steered by a program."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, StrictInt, StrictStr

from webapp.api.operations import Api
from webapp.api.records import Answer, Given, example
from webapp.api.train.data import TRAINER
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.train import choices as choosing
from webapp.domain.train import runs
from webapp.domain.train.choices import Choices
from webapp.domain.train.runs import RunView
from webapp.errors import InvalidInput
from webapp.web.context import services

api = Api("train_runs")

RunStatus = Literal[
    "sending",
    "validating_files",
    "queued",
    "running",
    "paused",
    "succeeded",
    "failed",
    "cancelled",
]
_LENGTHS = ("minutes", "epochs", "updates")


class BaseItem(Answer):
    """A model that training can begin with; `problem` says why it cannot just now."""

    name: str
    title: str
    about: str
    kind: Literal["chat", "base", "fresh"]
    licence: str
    parameters: int
    tokens_per_second: float | None
    fits: bool
    available: bool
    problem: str | None


class NewRun(Given):
    """What a run learns from, with what, and for how long.

    Of minutes, epochs and updates send one, or none for three minutes. What is left
    out is as the page of the site has it.
    """

    model_config = example(data=1, title="My soups", base="smollm2", minutes=1)

    data: StrictInt = Field(ge=1, le=2**53, description="Id of your data.")
    title: StrictStr = Field(
        min_length=1, max_length=choosing.TITLE_CHARS, description="Name of the model."
    )
    base: StrictStr = Field(
        "smollm2",
        max_length=choosing.BASE_CHARS,
        description="As GET /train/bases names it; where the site is online, also a "
        "model of the Hugging Face hub, written owner/name. With guard, data of rows "
        "with text and label (1: attack) becomes a guard, and no settings count.",
    )
    method: Literal["lora", "full", "top"] = Field(
        "lora", description="Models from nothing learn as a whole, whatever this says."
    )
    learning_rate: float | None = Field(None, gt=0)
    minutes: float | None = Field(None, gt=0)
    epochs: float | None = Field(None, gt=0)
    updates: StrictInt | None = Field(None, ge=1)
    rows: StrictInt | None = Field(None, ge=1, description="Rows of each update.")
    block: StrictInt | None = Field(None, ge=1, description="Tokens of a row.")
    rank: StrictInt | None = Field(None, ge=1, description="Of the LoRA.")
    frozen: StrictInt | None = Field(None, ge=0, description="Blocks that stay.")
    seed: StrictInt | None = Field(None, ge=0)
    sample_prompt: StrictStr = Field("", max_length=choosing.PROMPT_CHARS)
    task: Literal["reading", "writing", ""] = Field(
        "",
        description="What is wanted of it: to take something out of a text, or to "
        "make one up. It changes nothing in the training.",
    )
    good: StrictStr = Field(
        "",
        max_length=choosing.GOOD_CHARS,
        description="An example of good output, to judge the model by.",
    )


class RunItem(Answer):
    """A run of yours. `model` is the name of what it made.

    Ask a model by POST /lab/chat, and a guard by POST /train/guards/{name}/judge.
    `note` says why this is not the newest, and `figures` what was measured on text
    that it never learned from. Times are in seconds.
    """

    model_config = example(
        id=1,
        title="My soups",
        base="smollm2",
        data=1,
        status="running",
        position=None,
        wait_seconds=None,
        update=12,
        updates=40,
        loss=3.1,
        seconds=16.2,
        seconds_left=38.0,
        predicted_seconds=60.0,
        model=None,
        figures={"base_heldout_perplexity": 35.0, "heldout_perplexity": 22.1},
        error=None,
        note=None,
        created_at="2026-03-01T09:30:00Z",
        finished_at=None,
    )

    id: int
    title: str
    base: str
    data: int | None
    status: RunStatus
    position: int | None = Field(description="Place in the queue; 1 is next.")
    wait_seconds: float | None
    update: int | None
    updates: int | None
    loss: float | None
    seconds: float | None
    seconds_left: float | None
    predicted_seconds: float | None
    model: str | None
    figures: dict[str, float]
    error: str | None
    note: str | None
    created_at: datetime
    finished_at: datetime | None


class Act(Given):
    """What to do with a run. `keep` ends it, and what it has learned is the model."""

    model_config = example(do="cancel")

    do: Literal["cancel", "pause", "resume", "keep"]


@api.get("/train/bases", problems=TRAINER)
def list_bases(player: PlayerInfo) -> tuple[BaseItem, ...]:
    """List the models that training can begin with."""
    found = services().training.bases()
    return tuple(BaseItem.model_validate(base) for base in found)


@api.get("/train/runs")
def list_runs(player: PlayerInfo) -> tuple[RunItem, ...]:
    """List your runs, newest first."""
    found, note = runs.mine(services(), player_id=player.id)
    return tuple(_item(run, note=note) for run in found)


@api.post("/train/runs", status=201, problems=(404, 409, 429, *TRAINER))
def start_run(player: PlayerInfo, body: NewRun) -> RunItem:
    """Put a run into the queue. Its minutes count for your day."""
    run_id = runs.start(
        services(),
        player_id=player.id,
        data_id=body.data,
        choices=_choices(body),
        form=secrets.token_hex(8),
    )
    return _item(runs.find(services(), player_id=player.id, run_id=run_id))


@api.get("/train/runs/<int:run_id>", problems=(404,))
def follow_run(player: PlayerInfo, run_id: int) -> RunItem:
    """Ask how far a run is, and what came of it."""
    return _item(runs.follow(services(), player_id=player.id, run_id=run_id))


@api.post("/train/runs/<int:run_id>", problems=(404, 409, 429, *TRAINER))
def act_on_run(player: PlayerInfo, run_id: int, body: Act) -> RunItem:
    """Cancel a run, pause it, let it go on, or end it and keep what it has learned."""
    runs.act(services(), player_id=player.id, run_id=run_id, action=body.do)
    return _item(runs.find(services(), player_id=player.id, run_id=run_id))


def _choices(body: NewRun) -> Choices:
    """Return what the form of the page would be; raise InvalidInput as it does."""
    given: dict[str, Any] = body.model_dump(exclude={"data"}, exclude_none=True)
    lengths = [name for name in _LENGTHS if name in given]
    if len(lengths) > 1:
        raise InvalidInput("Send one of minutes, epochs and updates.")
    fields = {name: str(value) for name, value in given.items()}
    fields["length"] = lengths[0] if lengths else "minutes"
    bases = services().training.bases()
    fresh = frozenset(base.name for base in bases if base.is_fresh)
    return choosing.read(fields, fresh_bases=fresh)


def _item(run: RunView, *, note: str = "") -> RunItem:
    job = run.job
    progress = job.progress if job else None
    return RunItem(
        id=run.id,
        title=run.title,
        base=run.base,
        data=run.data_id,
        status=run.status,
        position=job.position if job else None,
        wait_seconds=job.wait_seconds if job else None,
        update=progress.update if progress else None,
        updates=progress.of if progress else None,
        loss=progress.loss if progress else None,
        seconds=progress.seconds if progress else None,
        seconds_left=progress.seconds_left if progress else None,
        predicted_seconds=run.predicted.seconds if run.predicted else None,
        model=run.name,
        figures={
            name: value
            for name, value in run.figures.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        },
        error=run.error,
        note=run.stale or note or None,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )
