"""Sweeps: three runs that differ in one value, begun as one action or not at all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import LAST_ID
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.domain.train import data as datasets
from webapp.domain.train import runs, shared_data, sweeping
from webapp.domain.train.choices import Choices
from webapp.domain.train.data import DataView
from webapp.domain.train.runs import RunView
from webapp.domain.train.sweeping import Place, Variant, Verdict, What
from webapp.errors import (
    BackendError,
    BackendTimeout,
    Conflict,
    LabError,
    NotFound,
    QuotaExceeded,
)
from webapp.llm.training_shapes import Curves, Estimate, Job
from webapp.rows import TrainedModel

log = logging.getLogger(__name__)

NO_ROOM: Final = (
    "The queue has no room for three more runs of yours, so none has begun: wait until "
    "others are over, or stop one."
)
NOT_TAKEN_BACK: Final = (
    "The three runs could not all begin, and what had begun could not be taken back. "
    "It is among your models: stop it there."
)


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep: its runs, the smallest value first, and what was seen at the end.

    Runs that were deleted are missing. `verdict` is None before all are over, and where
    one has no result; then `no_verdict` says so.
    """

    id: int
    what: What
    guess: int
    runs: tuple[RunView, ...]
    verdict: Verdict | None
    no_verdict: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return all(run.is_over for run in self.runs)

    @property
    def name(self) -> str:
        """What its runs have in common of their names."""
        return self.runs[0].title.rpartition(" · ")[0]


def start(
    services: Services,
    *,
    player_id: int,
    data_id: int,
    choices: Choices,
    what: What,
    guess: int,
    form: str,
) -> int:
    """Put three runs into the queue; return the sweep's id. One form starts one sweep.

    Raises InvalidInput, QuotaExceeded if the day's minutes or the places in the queue
    do not suffice for three, and BackendError; then none has begun.
    """
    marks = [
        hashlib.sha256(f"{form} {n}".encode()).hexdigest() for n in range(sweeping.RUNS)
    ]
    with services.db.read() as session:
        known = _of_form(session, player_id, marks)
    if known is not None:
        return known
    data = shared_data.usable(services, player_id=player_id, data_id=data_id)
    rows = _rows(services, player_id, data, choices) if what == "share" else 0
    found = sweeping.variants(choices, what, rows=rows)
    asked = [(variant, _data_of(data, variant)) for variant in found]
    predicted = [
        services.training.estimate(runs.job_body(variant.choices, part, player_id))
        for variant, part in asked
    ]
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        known = _of_form(session, player_id, marks)
        if known is not None:
            return known
        ids = _add(session, services, player_id, marks, asked, predicted, what, guess)
    _send(services, player_id, ids, asked)
    return ids[0]


def find(services: Services, *, player_id: int, sweep_id: int) -> SweepView:
    """Return one's own sweep as it is now; raise NotFound."""
    with services.db.read() as session:
        ids = [row.id for row in _rows_of(session, player_id, sweep_id)]
    found = [runs.follow(services, player_id=player_id, run_id=each) for each in ids]
    places = [run.sweep for run in found if run.sweep is not None]
    verdict, why = _judge(found, places[0].what)
    return SweepView(
        id=sweep_id,
        what=places[0].what,
        guess=places[0].guess,
        runs=tuple(found),
        verdict=verdict,
        no_verdict=why,
    )


def curves(
    services: Services, *, player_id: int, sweep_id: int
) -> tuple[tuple[RunView, Curves], ...]:
    """Return the runs of one's own sweep with their curves; raise NotFound."""
    with services.db.read() as session:
        ids = [row.id for row in _rows_of(session, player_id, sweep_id)]
    return runs.several(services, player_id=player_id, run_ids=ids)


def _judge(found: Sequence[RunView], what: What) -> tuple[Verdict | None, str]:
    if not all(run.is_over for run in found):
        return None, ""
    results = [
        run.figures.get("heldout_perplexity")
        for run in found
        if run.status == "succeeded"
    ]
    numbers = [float(each) for each in results if isinstance(each, int | float)]
    if len(numbers) < sweeping.RUNS:
        return None, "Not all three came to a result, so there is no winner."
    before = found[0].figures.get("base_heldout_perplexity")
    before = float(before) if isinstance(before, int | float) else None
    return sweeping.verdict(what, numbers, before=before), ""


def _rows(services: Services, player_id: int, data: DataView, choices: Choices) -> int:
    """Return how many rows there are to learn from."""
    if data.report is None:
        data = datasets.look(
            services,
            player_id=player_id,
            data_id=data.id,
            model=choices.base,
            settings=data.settings,
            seed=0,
        )
    return 0 if data.report is None else data.report.report.train


def _data_of(data: DataView, variant: Variant) -> DataView:
    if variant.most_rows is None:
        return data
    settings: Mapping[str, Any] = {**data.settings, "most_rows": variant.most_rows}
    return replace(data, settings=settings)


def _of_form(session: Session, player_id: int, marks: Sequence[str]) -> int | None:
    row = session.scalar(
        select(TrainedModel)
        .where(TrainedModel.player_id == player_id, TrainedModel.form.in_(marks))
        .order_by(TrainedModel.id)
    )
    return None if row is None else int(row.settings["sweep"]["first"])


def _rows_of(session: Session, player_id: int, sweep_id: int) -> Sequence[TrainedModel]:
    # A player's three runs were added at once: no other of theirs is between.
    near = session.scalars(
        select(TrainedModel)
        .where(
            TrainedModel.player_id == player_id,
            TrainedModel.id >= min(sweep_id, LAST_ID),
        )
        .order_by(TrainedModel.id)
        .limit(sweeping.RUNS)
    ).all()
    found = [
        row
        for row in near
        if (row.settings.get("sweep") or {}).get("first") == sweep_id
    ]
    if not found:
        raise NotFound("You have no such three runs. They may have been deleted.")
    return found


def _add(
    session: Session,
    services: Services,
    player_id: int,
    marks: Sequence[str],
    asked: Sequence[tuple[Variant, DataView]],
    predicted: Sequence[Estimate],
    what: What,
    guess: int,
) -> list[int]:
    minutes = sum(map(runs.minutes_of, predicted))
    runs.spend(session, services, player_id, minutes, runs="These three runs together")
    rows = [
        runs.new_row(
            services,
            player_id=player_id,
            data=data,
            mark=mark,
            choices=variant.choices,
            predicted=estimate,
        )
        for mark, (variant, data), estimate in zip(marks, asked, predicted, strict=True)
    ]
    for row in rows:
        session.add(row)
        session.flush()
    for n, (row, (variant, _)) in enumerate(zip(rows, asked, strict=True)):
        place = Place(rows[0].id, what, n, variant.label, guess)
        row.settings = {**row.settings, "sweep": asdict(place)}
    return [row.id for row in rows]


def _send(
    services: Services,
    player_id: int,
    ids: Sequence[int],
    asked: Sequence[tuple[Variant, DataView]],
) -> None:
    """Send the runs to the trainer; take all back if it refuses one."""
    jobs: dict[int, Job | None] = {}
    for run_id, (variant, data) in zip(ids, asked, strict=True):
        body = runs.job_body(variant.choices, data, player_id)
        try:
            jobs[run_id] = services.training.begin(runs.marked(body, run_id))
        except BackendTimeout:
            log.warning("run %s: the trainer took long to answer", run_id)
            jobs[run_id] = None
        except LabError as error:
            _take_back(services, player_id, ids, jobs)
            if isinstance(error, QuotaExceeded):
                # The trainer's own words count those that were just taken back.
                raise QuotaExceeded(
                    NO_ROOM, scope=error.scope, retry_after=error.retry_after
                ) from None
            raise
    with services.db.write() as session:
        for run_id, job in jobs.items():
            if job is not None:
                runs.take(session, services, session.get_one(TrainedModel, run_id), job)


def _take_back(
    services: Services,
    player_id: int,
    ids: Sequence[int],
    begun: Mapping[int, Job | None],
) -> None:
    """Cancel what has begun and forget all; raise BackendError if that is not sure."""
    stuck = []
    for run_id, job in begun.items():
        if job is None or not _is_cancelled(services, job):
            stuck.append(run_id)
    with services.db.write() as session:
        for run_id in ids:
            row = session.get_one(TrainedModel, run_id)
            if run_id not in stuck:
                runs.undo(session, services, row)
            elif (job := begun[run_id]) is not None:
                runs.take(session, services, row, job)
    if stuck:
        raise BackendError(NOT_TAKEN_BACK)


def _is_cancelled(services: Services, job: Job) -> bool:
    try:
        services.training.act(job.id, "cancel")
    except (NotFound, Conflict):
        # It is gone, or over already.
        return True
    except LabError as error:
        log.warning("job %s could not be taken back: %s", job.id, error.code)
        return False
    return True
