"""Matrices of a player: kept, found, deleted, and what their pages show."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain import boots
from webapp.domain.lab import matrix_stats
from webapp.domain.lab.matrix_plan import Call, Plan
from webapp.domain.lab.matrix_stats import Score, Verdict
from webapp.domain.people.players import require_player, require_room
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.rows import FINISHED, Generation, LabCell, LabMatrix

READY, RUNNING, PAUSED, DONE = "ready", "running", "paused", "finished"
MOST_KEPT: Final = 40
DIED: Final = "The site stopped before this was finished. What is there is kept."
# What a token takes where nobody has asked the model yet, and how many replies tell.
_USUAL_MS, _LATEST = 40.0, 20


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, and what the check found. `status` is that of its check."""

    item: int
    sample: int
    text: str
    status: str
    message: str
    seed: int
    ms: int
    tokens: int
    error: str = ""
    is_site: bool = False

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Reply:
        """Return what was stored."""
        return cls(**row)


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell: which prompt, model and temperature, as numbers; and its replies."""

    place: int
    prompt: int
    model: int
    heat: int
    replies: tuple[Reply, ...]

    @property
    def score(self) -> Score:
        """How many passed, of those that could be judged."""
        judged = [one.status for one in self.replies if one.status != "ungraded"]
        return Score(judged.count("passed"), len(judged))

    @property
    def ungraded(self) -> int:
        """How many could not be judged, or asked."""
        return len(self.replies) - self.score.of

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share is, 19 times out of 20."""
        return matrix_stats.interval(self.score)


@dataclass(frozen=True, slots=True)
class MatrixView:
    """A matrix as its player sees it; `seconds_left` is what is still to come."""

    id: int
    plan: Plan
    state: str
    done: int
    note: str
    created_at: datetime
    cells: tuple[CellView, ...]
    seconds_left: float

    @property
    def total(self) -> int:
        """How many replies are asked for."""
        return self.plan.total

    @property
    def has_failed(self) -> bool:
        """Whether a model could not be asked somewhere."""
        return any(one.error for cell in self.cells for one in cell.replies)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Whether prompts, models and temperatures differ, each over all others."""
        plan = self.plan
        return matrix_stats.verdicts(
            (
                self._scores("prompt", [f"Prompt {n + 1}" for n in range(4)]),
                self._scores("model", [model.title for model in plan.models]),
                self._scores(
                    "heat", [f"Temperature {heat:g}" for heat in plan.temperatures]
                ),
            )
        )

    def cell(self, place: int) -> CellView:
        """Return a cell; raise NotFound."""
        if not 0 <= place < len(self.cells):
            raise NotFound("There is no such cell in this matrix.")
        return self.cells[place]

    def _scores(self, axis: str, names: Sequence[str]) -> list[tuple[str, Score]]:
        found: defaultdict[int, list[Score]] = defaultdict(list)
        for cell in self.cells:
            found[getattr(cell, axis)].append(cell.score)
        return [
            (names[number], matrix_stats.together(scores))
            for number, scores in sorted(found.items())
        ]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A matrix in the list of those that were begun."""

    id: int
    plan: Plan
    state: str
    done: int
    created_at: datetime


def begin(services: Services, *, player_id: int, plan: Plan, form: str) -> int:
    """Keep what is to be asked; return its id. The same form begins one only.

    Nothing is asked yet. Raises Conflict if too many are kept.
    """
    mark = hashlib.sha256(form.encode()).hexdigest()
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        found = session.scalar(
            select(LabMatrix.id).where(
                LabMatrix.player_id == player_id, LabMatrix.form == mark
            )
        )
        if found is not None:
            return found
        require_room(
            session, LabMatrix, player_id, most=MOST_KEPT, what="experiments here"
        )
        row = LabMatrix(
            player_id=player_id,
            form=mark,
            setup=plan.as_row(),
            state=READY,
            total=plan.total,
            created_at=services.now(),
        )
        session.add(row)
        session.flush()
        session.add_all(
            LabCell(matrix_id=row.id, place=place) for place in range(plan.cells)
        )
        return row.id


def find(services: Services, *, player_id: int, matrix_id: int) -> MatrixView:
    """Return one's own matrix; raise NotFound."""
    with services.db.read() as session:
        row = require(session, player_id, matrix_id)
        plan = Plan.of_row(row.setup)
        replies = {
            cell.place: tuple(map(Reply.of_row, cell.replies))
            for cell in cells_of(session, row.id)
        }
        cells = tuple(
            CellView(place, *plan.of_cell(place), replies.get(place, ()))
            for place in range(plan.cells)
        )
        left = _seconds_left(session, plan, cells)
    is_dead = row.state == RUNNING and not is_alive(services, row)
    return MatrixView(
        id=row.id,
        plan=plan,
        state=PAUSED if is_dead else row.state,
        done=row.done,
        note=DIED if is_dead else row.note,
        created_at=row.created_at,
        cells=cells,
        seconds_left=left,
    )


def mine(services: Services, *, player_id: int) -> tuple[Earlier, ...]:
    """Return a player's matrices, the newest first."""
    query = select(LabMatrix).where(LabMatrix.player_id == player_id)
    with services.db.read() as session:
        rows = session.scalars(query.order_by(LabMatrix.id.desc())).all()
        return tuple(
            Earlier(row.id, Plan.of_row(row.setup), row.state, row.done, row.created_at)
            for row in rows
        )


def delete_one(services: Services, *, player_id: int, matrix_id: int) -> None:
    """Delete a matrix for good; who works on it notices."""
    with services.db.write() as session:
        row = require(session, player_id, matrix_id)
        session.execute(delete(LabMatrix).where(LabMatrix.id == row.id))


def require(
    session: Session, player_id: int, matrix_id: int, *, lock: bool = False
) -> LabMatrix:
    """Return the row of one's own matrix; raise NotFound."""
    row = find_row(session, LabMatrix, matrix_id, lock=lock)
    if row is None or row.player_id != player_id:
        raise NotFound("You have no such experiment. It may have been deleted.")
    return row


def cells_of(session: Session, matrix_id: int) -> Sequence[LabCell]:
    """Return the cells of a matrix in order."""
    query = select(LabCell).where(LabCell.matrix_id == matrix_id)
    return session.scalars(query.order_by(LabCell.place)).all()


def is_alive(services: Services, row: LabMatrix) -> bool:
    """Tell whether the process that works on a running matrix still lives.

    One of another instance on the same database is taken to.
    """
    if not row.boot_id.startswith(boots.id_prefix(services.settings.instance)):
        return True
    return row.boot_id in boots.living(services.settings.instance)


def missing(plan: Plan, cells: Sequence[CellView] | Sequence[LabCell]) -> list[Call]:
    """Return the calls that have no reply yet, in the order of asking."""
    have = {(cell.place, *_of_reply(reply)) for cell in cells for reply in cell.replies}
    return [call for call in plan.calls() if tuple(call) not in have]


def _of_reply(reply: Reply | Mapping[str, Any]) -> tuple[int, int]:
    if isinstance(reply, Reply):
        return reply.item, reply.sample
    return reply["item"], reply["sample"]


def _seconds_left(session: Session, plan: Plan, cells: Sequence[CellView]) -> float:
    """Return how long the rest takes at most, by the latest replies of each model."""
    calls = [0] * len(plan.models)
    for call in missing(plan, cells):
        calls[plan.of_cell(call.cell)[1]] += 1
    return sum(
        count * plan.tokens * _ms_per_token(session, model.name) / 1000
        for model, count in zip(plan.models, calls, strict=True)
        if count
    )


def _ms_per_token(session: Session, model: str) -> float:
    latest = (
        select(Generation.ms, Generation.reply_tokens)
        .where(
            Generation.model == model,
            Generation.status == FINISHED,
            Generation.reply_tokens > 0,
        )
        .order_by(Generation.id.desc())
        .limit(_LATEST)
        .subquery()
    )
    ms, tokens = session.execute(
        select(func.sum(latest.c.ms), func.sum(latest.c.reply_tokens))
    ).one()
    return ms / tokens if ms and tokens else _USUAL_MS
