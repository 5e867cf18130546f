"""Data that its owner lets others see and train on; only the owner changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.people import classes
from webapp.domain.people.players import require_player, shown_name
from webapp.domain.services import Services
from webapp.domain.train import data as datasets
from webapp.domain.train import showing
from webapp.domain.train.data import DataView
from webapp.errors import Conflict, NotFound
from webapp.rows import PRIVATE, DataFile, Player, TrainedModel

SHOWN: Final = 60
ENDING: Final = (
    "A run of somebody else still learns from it. It is being ended: delete the data "
    "again in a moment."
)


@dataclass(frozen=True, slots=True)
class DataPage:
    """Data as somebody sees it. `has_class` is whether its owner has a class."""

    data: DataView
    owner: str
    is_own: bool
    has_class: bool


def page(services: Services, *, player_id: int | None, data_id: int) -> DataPage:
    """Return data that somebody may see; raise NotFound for all other."""
    with services.db.read() as session:
        row, owner = _seen(session, player_id, data_id)
        return DataPage(
            data=datasets.view(row),
            owner=shown_name(owner),
            is_own=owner.id == player_id,
            has_class=classes.own_class(session, owner) is not None,
        )


def usable(services: Services, *, player_id: int, data_id: int) -> DataView:
    """Return data that a player may train on; raise NotFound."""
    return page(services, player_id=player_id, data_id=data_id).data


def shared(
    services: Services, *, player_id: int | None
) -> tuple[tuple[DataView, str], ...]:
    """Return what others show to everybody or to one's class, newest first."""
    with services.db.read() as session:
        may = showing.shown_to(session, player_id, DataFile.visibility)
        rows = session.execute(
            select(DataFile, Player)
            .join(Player, Player.id == DataFile.player_id)
            .where(may)
            .order_by(DataFile.id.desc())
            .limit(SHOWN)
        )
        return tuple((datasets.view(row), shown_name(owner)) for row, owner in rows)


def show(services: Services, *, player_id: int, data_id: int, visibility: str) -> None:
    """Let nobody else, one's class, or everybody see data and train on it.

    Raises NotFound, InvalidInput, and Conflict if nobody has looked at it yet.
    """
    with services.db.write() as session:
        row = datasets.require_data(session, player_id, data_id)
        showing.check(session, player_id, visibility)
        if visibility != PRIVATE:
            _check_showable(row)
        row.visibility = visibility


def delete(services: Services, *, player_id: int, data_id: int) -> None:
    """Delete one's own data for good; runs of others that learn from it are ended.

    Raise Conflict while a run has not ended yet, and BackendError; then it is still
    there, but nobody else sees it any more.
    """
    with services.db.write() as session:
        row = datasets.require_data(session, player_id, data_id)
        row.visibility = PRIVATE
    ended = _end_runs_of_others(services, player_id, data_id)
    try:
        datasets.delete(services, player_id=player_id, data_id=data_id)
    except Conflict:
        if ended:
            raise Conflict(ENDING) from None
        raise


def _check_showable(row: DataFile) -> None:
    if datasets.view(row).is_shipped:
        raise Conflict("Everybody here has this set already.")
    if row.report is None:
        raise Conflict("Look at the data first: its card shows what is in it.")


def _end_runs_of_others(services: Services, player_id: int, data_id: int) -> int:
    """Ask the trainer to end what others still learn from data; return how many."""
    query = select(TrainedModel.job_id).where(
        TrainedModel.data_id == data_id,
        TrainedModel.player_id != player_id,
        TrainedModel.job_id.is_not(None),
    )
    with services.db.read() as session:
        jobs = [job for job in session.scalars(query) if job is not None]
    ended = 0
    for job_id in jobs:
        try:
            services.training.act(job_id, "cancel")
        except (Conflict, NotFound):
            continue  # it is over, or the trainer has forgotten it
        ended += 1
    return ended


def _seen(
    session: Session, player_id: int | None, data_id: int
) -> tuple[DataFile, Player]:
    row = find_row(session, DataFile, data_id)
    if row is not None:
        owner = require_player(session, row.player_id)
        if showing.may_see(session, player_id, owner=owner, visibility=row.visibility):
            return row, owner
    # The same words for what is not there and for what is not theirs to see.
    raise NotFound("There is no such data, or it is not shown to you.")
