"""Runs of training: asked for once, followed while they last, and acted upon."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain import quotas
from webapp.domain.people import limits
from webapp.domain.people.limits import MINUTES
from webapp.domain.people.players import require_player
from webapp.domain.quotas import Limit, User
from webapp.domain.services import Services
from webapp.domain.train import choices as choosing
from webapp.domain.train import data as datasets
from webapp.domain.train import origins, shared_data
from webapp.domain.train.choices import Choices
from webapp.domain.train.origins import NOT_TOLD, Origin
from webapp.domain.train.sweeping import Place
from webapp.errors import (
    BackendError,
    BackendTimeout,
    Conflict,
    LabError,
    NotFound,
    QuotaExceeded,
)
from webapp.llm.training_shapes import Curves, Estimate, Job, JobEvent
from webapp.rows import PRIVATE, SENDING, TrainedModel

log = logging.getLogger(__name__)

OVER: Final = frozenset({"succeeded", "failed", "cancelled"})
MOST_COMPARED: Final = 6
# After this a run that the trainer knows nothing of will not arrive any more.
ARRIVAL: Final = timedelta(minutes=1)
NEVER_SENT: Final = (
    "This run never reached the trainer, so nothing was trained. Start it again."
)
GONE: Final = (
    "The trainer does not know this run any more. What is kept of it is below."
)
FIGURES_KEPT: Final = ("trained_tokens", "machine")


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as pages show it. `job` is None where the trainer did not say.

    `stale` says why what is shown is not the newest. `sweep` is where it stands among
    three that were begun together. `note` is what its player saw in it at the end.
    """

    id: int
    job_id: str | None
    title: str
    base: str
    status: str
    choices: Choices
    name: str | None
    data_id: int | None
    data_settings: Mapping[str, Any]
    predicted: Estimate | None
    figures: Mapping[str, Any]
    error: str | None
    visibility: str
    prompt: str
    created_at: datetime
    finished_at: datetime | None
    job: Job | None = None
    stale: str = ""
    sweep: Place | None = None
    note: str = ""
    # As it was told when the run began.
    origin: Origin = NOT_TOLD

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status in OVER

    @property
    def is_guard(self) -> bool:
        """Whether it makes a guard, which judges messages and writes none."""
        return self.base == choosing.GUARD

    @property
    def is_chat(self) -> bool:
        """Whether it learned the turns of a chat."""
        return bool(self.data_settings.get("is_chat"))


def user_of(player_id: int) -> str:
    """Return how the sidecar calls a player."""
    return f"player-{player_id}"


def predict(
    services: Services, *, player_id: int, data_id: int, choices: Choices
) -> Estimate:
    """Return what a run would take; nothing is begun."""
    data = shared_data.usable(services, player_id=player_id, data_id=data_id)
    return services.training.estimate(job_body(choices, data, player_id))


def minutes_left(services: Services, *, player_id: int) -> int:
    """Return how many minutes of training a player has left on this day."""
    with services.db.read() as session:
        used = quotas.used_today(
            session, now=services.now(), player_id=player_id, what=MINUTES
        )
    return max(0, minutes_allowed(services, player_id=player_id) - used)


def minutes_allowed(services: Services, *, player_id: int) -> int:
    """Return how many minutes of training a player has in a day."""
    inside = limits.of_player(services, player_id=player_id)
    return inside.training_minutes_per_day


def start(
    services: Services, *, player_id: int, data_id: int, choices: Choices, form: str
) -> int:
    """Put a run into the queue; return its id. The same form starts one run only.

    Raises InvalidInput, QuotaExceeded if the day's minutes do not suffice, and
    BackendError; then nothing has begun. If the trainer takes long to answer the run is
    there, and is found once it arrives.
    """
    mark = hashlib.sha256(form.encode()).hexdigest()
    known = _of_form(services, player_id, mark)
    if known is not None:
        return known
    title = choosing.clean_title(choices.title)
    data = shared_data.usable(services, player_id=player_id, data_id=data_id)
    body = job_body(choices, data, player_id)
    predicted = services.training.estimate(body)
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        first = _form_row(session, player_id, mark)
        if first is not None:
            return first.id
        spend(session, services, player.id, minutes_of(predicted))
        row = new_row(
            services,
            player_id=player_id,
            data=data,
            mark=mark,
            choices=replace(choices, title=title),
            predicted=predicted,
        )
        session.add(row)
        session.flush()
        run_id = row.id
    try:
        job = services.training.begin(marked(body, run_id))
    except BackendTimeout:
        log.warning("run %s: the trainer took long to answer", run_id)
        return run_id
    except LabError:
        with services.db.write() as session:
            undo(session, services, session.get_one(TrainedModel, run_id))
        raise
    with services.db.write() as session:
        take(session, services, session.get_one(TrainedModel, run_id), job)
    return run_id


def of_form(services: Services, *, player_id: int, form: str) -> int | None:
    """Return the run that a form has started; None if it has started none."""
    return _of_form(services, player_id, hashlib.sha256(form.encode()).hexdigest())


def mine(services: Services, *, player_id: int) -> tuple[tuple[RunView, ...], str]:
    """Return a player's runs, newest first, and why that is not the newest, if so."""
    query = select(TrainedModel).where(TrainedModel.player_id == player_id)
    with services.db.read() as session:
        rows = session.scalars(query.order_by(TrainedModel.id.desc())).all()
    stale = ""
    jobs: dict[str, Job] = {}
    if any(row.status not in OVER for row in rows):
        try:
            found = services.training.jobs(user=user_of(player_id))
            jobs = {job.id: job for job in found}
        except BackendError as error:
            stale = error.message
    if jobs:
        with services.db.write() as session:
            fresh = session.scalars(query.order_by(TrainedModel.id.desc())).all()
            for row in fresh:
                job = _job_of(row, jobs)
                if job is not None and row.status not in OVER:
                    take(session, services, row, job)
            rows = fresh
    return tuple(_view(row, jobs.get(row.job_id or "")) for row in rows), stale


def find(services: Services, *, player_id: int, run_id: int) -> RunView:
    """Return one's own run as it was last seen; raise NotFound."""
    with services.db.read() as session:
        return _view(require_run(session, player_id, run_id))


def follow(services: Services, *, player_id: int, run_id: int) -> RunView:
    """Return one's own run as it is now, or as last seen with the reason why."""
    seen = find(services, player_id=player_id, run_id=run_id)
    try:
        job = _ask(services, player_id, seen)
    except (BackendError, QuotaExceeded) as error:
        return _with(seen, stale=error.message)
    except NotFound:
        if seen.is_over:
            return _with(seen, stale=GONE)
        return _lose(services, player_id, run_id, GONE)
    if job is None:
        if services.now() - seen.created_at > ARRIVAL and not seen.is_over:
            return _lose(services, player_id, run_id, NEVER_SENT)
        return seen
    with services.db.write() as session:
        row = require_run(session, player_id, run_id)
        take(session, services, row, job)
        return _view(row, job)


def act(services: Services, *, player_id: int, run_id: int, action: str) -> None:
    """Pause, go on, stop, or stop and keep; raise Conflict if it is not possible."""
    seen = find(services, player_id=player_id, run_id=run_id)
    if seen.job_id is None:
        raise Conflict("This run has not reached the trainer yet. Wait a moment.")
    if action == "resume":
        allowed = minutes_allowed(services, player_id=player_id)
        with services.db.write() as session:
            if (
                quotas.used_today(
                    session, now=services.now(), player_id=player_id, what=MINUTES
                )
                > allowed
            ):
                spend(session, services, player_id, 1)
    job = services.training.act(seen.job_id, action)
    if job is not None:
        with services.db.write() as session:
            row = require_run(session, player_id, run_id)
            take(session, services, row, job, is_again=action == "resume")


def curves(services: Services, *, player_id: int, run_id: int) -> Curves:
    """Return the curves and samples of one's own run; none before it has reached it."""
    seen = find(services, player_id=player_id, run_id=run_id)
    return Curves() if seen.job_id is None else services.training.curves(seen.job_id)


def news(services: Services, *, player_id: int, run_id: int) -> tuple[JobEvent, ...]:
    """Return what was told of one's own run, newest first."""
    seen = find(services, player_id=player_id, run_id=run_id)
    return () if seen.job_id is None else services.training.events(seen.job_id)


def several(
    services: Services, *, player_id: int, run_ids: Sequence[int]
) -> tuple[tuple[RunView, Curves], ...]:
    """Return one's own runs with their curves, to compare; raise NotFound."""
    chosen = list(dict.fromkeys(run_ids))[:MOST_COMPARED]
    found = []
    for run_id in chosen:
        run = find(services, player_id=player_id, run_id=run_id)
        try:
            found.append((run, curves(services, player_id=player_id, run_id=run_id)))
        except (BackendError, NotFound) as error:
            found.append((_with(run, stale=error.message), Curves()))
    return tuple(found)


def require_run(session: Session, player_id: int, run_id: int) -> TrainedModel:
    """Return the row of a player's run; raise NotFound, also for somebody else's."""
    row = find_row(session, TrainedModel, run_id)
    if row is None or row.player_id != player_id:
        raise NotFound("You have no such run. It may have been deleted.")
    return row


def new_row(
    services: Services,
    *,
    player_id: int,
    data: datasets.DataView,
    mark: str,
    choices: Choices,
    predicted: Estimate,
) -> TrainedModel:
    """Return a row for a run that is about to be sent; it is not added yet."""
    return TrainedModel(
        player_id=player_id,
        data_id=data.id,
        form=mark,
        title=choices.title,
        base=choices.base,
        status=SENDING,
        settings={
            "choices": choices.as_row(),
            "data": dict(data.settings),
            "data_name": data.name,
            "origin": data.origin.as_row(),
        },
        predicted=predicted.model_dump(mode="json"),
        visibility=PRIVATE,
        prompt=choices.sample_prompt,
        minutes=minutes_of(predicted),
        created_at=services.now(),
    )


def minutes_of(predicted: Estimate) -> int:
    """Return how many minutes of the day are set aside for a run."""
    return max(1, math.ceil(predicted.seconds / 60))


def view(row: TrainedModel) -> RunView:
    """Return a run as pages show it, as it was last seen."""
    return _view(row)


def _ask(services: Services, player_id: int, seen: RunView) -> Job | None:
    if seen.job_id is not None:
        return services.training.job(seen.job_id)
    for job in services.training.jobs(user=user_of(player_id)):
        if (job.metadata or {}).get("site_run") == str(seen.id):
            return job
    return None


def _job_of(row: TrainedModel, jobs: Mapping[str, Job]) -> Job | None:
    if row.job_id is not None:
        return jobs.get(row.job_id)
    mark = str(row.id)
    found = (j for j in jobs.values() if (j.metadata or {}).get("site_run") == mark)
    return next(found, None)


def job_body(
    choices: Choices, data: datasets.DataView, player_id: int
) -> dict[str, Any]:
    """Return what the trainer is sent for a run."""
    body = choices.job(
        file_id=data.file_id, data=data.settings, user=user_of(player_id)
    )
    return body | {"metadata": data.origin.metadata()}


def marked(body: Mapping[str, Any], run_id: int) -> dict[str, Any]:
    """Return what the trainer is sent, with the mark by which the run is found."""
    return {**body, "metadata": body["metadata"] | {"site_run": str(run_id)}}


def _of_form(services: Services, player_id: int, mark: str) -> int | None:
    with services.db.read() as session:
        row = _form_row(session, player_id, mark)
        return None if row is None else row.id


def _form_row(session: Session, player_id: int, mark: str) -> TrainedModel | None:
    return session.scalar(
        select(TrainedModel).where(
            TrainedModel.player_id == player_id, TrainedModel.form == mark
        )
    )


def spend(
    session: Session,
    services: Services,
    player_id: int,
    minutes: int,
    *,
    runs: str = "This run",
) -> None:
    """Set minutes of the day aside; raise QuotaExceeded if they do not suffice."""
    class_id = require_player(session, player_id).class_id
    inside = limits.own_limits(session, services.settings, class_id)
    allowed = inside.training_minutes_per_day
    used = quotas.used_today(
        session, now=services.now(), player_id=player_id, what=MINUTES
    )
    left = max(0, allowed - used)
    if 0 < left < minutes:
        raise QuotaExceeded(
            f"{runs} would take about {minutes} minutes, and you have {left} of your "
            f"{allowed} minutes of training left today. Let it learn for less time.",
            scope="player/day",
            retry_after=3600,
        )
    quotas.spend(
        session,
        now=services.now(),
        user=User(player_id, None),
        what=MINUTES,
        limits=(Limit("player", "day", allowed),),
        amount=minutes,
    )


def undo(session: Session, services: Services, row: TrainedModel) -> None:
    """Forget a run that was not begun, and give its minutes back."""
    _give_back(session, services, row, row.minutes)
    session.delete(row)


def _give_back(
    session: Session, services: Services, row: TrainedModel, minutes: int
) -> None:
    if minutes > 0 and row.created_at.date() == services.now().date():
        quotas.give_back(
            session,
            now=services.now(),
            player_id=row.player_id,
            what=MINUTES,
            amount=minutes,
        )


def take(
    session: Session,
    services: Services,
    row: TrainedModel,
    job: Job,
    *,
    is_again: bool = False,
) -> None:
    """Keep what the trainer says of a run."""
    was_over = row.status in OVER and not is_again
    row.job_id = job.id
    row.status = job.status
    why = job.error.message if job.error else job.not_served
    row.error = why[:500] if why else None
    figures = dict(row.figures or {}) | (job.figures or {})
    for name in FIGURES_KEPT:
        value = getattr(job, name)
        if value is not None:
            figures[name] = value
    if job.progress is not None:
        figures["seconds"] = job.progress.seconds
        figures["update"] = job.progress.update
    row.figures = figures
    if job.status == "succeeded" and job.fine_tuned_model:
        row.name = job.fine_tuned_model[:120]
    if job.is_over and not was_over:
        at = job.finished_at
        row.finished_at = datetime.fromtimestamp(at, UTC) if at else services.now()
        took = math.ceil((job.progress.seconds if job.progress else 0.0) / 60)
        _give_back(session, services, row, row.minutes - took)
        row.minutes = min(row.minutes, took)
    elif not job.is_over:
        row.finished_at = None


def _lose(services: Services, player_id: int, run_id: int, why: str) -> RunView:
    with services.db.write() as session:
        row = require_run(session, player_id, run_id)
        row.status = "failed"
        row.error = why
        row.finished_at = services.now()
        _give_back(session, services, row, row.minutes)
        row.minutes = 0
        return _view(row)


def _with(run: RunView, *, stale: str) -> RunView:
    values = {name: getattr(run, name) for name in RunView.__dataclass_fields__}
    return RunView(**{**values, "stale": stale})


def _view(row: TrainedModel, job: Job | None = None) -> RunView:
    settings = row.settings
    predicted = row.predicted
    return RunView(
        id=row.id,
        job_id=row.job_id,
        title=row.title,
        base=row.base,
        status=row.status,
        choices=choosing.from_row(settings.get("choices", {})),
        name=row.name,
        data_id=row.data_id,
        data_settings=dict(settings.get("data", {}))
        | {"name": settings.get("data_name", "")},
        predicted=None if predicted is None else Estimate.model_validate(predicted),
        figures=row.figures or {},
        error=row.error,
        visibility=row.visibility,
        prompt=row.prompt,
        created_at=row.created_at,
        finished_at=row.finished_at,
        job=job,
        sweep=Place(**settings["sweep"]) if settings.get("sweep") else None,
        note=settings.get("note", ""),
        origin=origins.from_row(settings.get("origin", {})),
    )
