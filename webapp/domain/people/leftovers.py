"""What the trainer keeps of players: it goes when they go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.domain.services import Services
from webapp.errors import Conflict, LabError
from webapp.rows import DataFile, TrainedModel

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Files that players brought, runs that may still go on, and models.

    Runs are theirs, and those of others that learn from what they brought.
    """

    files: tuple[str, ...]
    jobs: tuple[str, ...]
    models: tuple[str, ...]


def of_players(session: Session, ids: Sequence[int]) -> Leftovers:
    """Return what there is; ask before the rows go. Shipped sets are nobody's."""
    files = select(DataFile.file_id).where(
        DataFile.player_id.in_(ids), DataFile.file_id.not_like("shipped-%")
    )
    brought = select(DataFile.id).where(DataFile.player_id.in_(ids))
    is_theirs = TrainedModel.player_id.in_(ids)
    jobs = select(TrainedModel.job_id).where(
        or_(is_theirs, TrainedModel.data_id.in_(brought)),
        TrainedModel.job_id.is_not(None),
    )
    names = select(TrainedModel.name).where(is_theirs, TrainedModel.name.is_not(None))
    return Leftovers(
        files=tuple(session.scalars(files)),
        jobs=tuple(filter(None, session.scalars(jobs))),
        models=tuple(filter(None, session.scalars(names))),
    )


def clear(services: Services, left: Leftovers) -> None:
    """Let the trainer delete it; what it does not do now is logged, and stays."""
    trainer = services.training
    tasks: list[tuple[str, Callable[[], object]]] = [
        *((job, partial(trainer.act, job, "cancel")) for job in left.jobs),
        *((name, partial(trainer.delete_model, name)) for name in left.models),
        *((file, partial(trainer.delete_file, file)) for file in left.files),
    ]
    for name, do in tasks:
        try:
            do()
        except Conflict:
            log.debug("training: %s was over already", name)
        except LabError as error:
            log.warning("training: %s was not deleted: %s", name, error.code)
