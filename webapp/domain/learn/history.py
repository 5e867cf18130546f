"""Runs of panels as their player sees them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from webapp.content.lessons.schema import Lesson
from webapp.db import LAST_ID, find_row
from webapp.domain.learn.judging import Judged, Tally
from webapp.domain.learn.progress import ids
from webapp.domain.learn.telling import Told
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput, NotFound
from webapp.rows import HELPED, PANEL, REFUSED, Practice

RUNS_SHOWN: Final = 20
NOTE_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class SampleView:
    """One reply of a run. `status` is None if it was stopped before it was judged.

    `tally` counts the samples up to this one. `chances` are [token, probability,
    [[other token, probability], …]], where they were asked for.
    """

    reply: str
    values: Mapping[str, str]
    status: str | None
    checks: tuple[Judged, ...]
    mistake: str | None
    finish: str
    tokens: int | None
    ms: int
    seed: int
    tally: Tally
    chances: tuple[Any, ...] = ()

    @property
    def first_failing(self) -> Judged | None:
        """The check that a student should hear of first."""
        return next(
            (one for one in self.checks if one.status == "failed" and one.decides),
            None,
        )

    @property
    def message(self) -> str:
        """What is told of it: a named mistake, or the first check that failed."""
        first = self.first_failing
        return self.mistake or (first.message if first else "")


@dataclass(frozen=True, slots=True)
class RunView:
    """A run: what was typed, what came, what it came to. `told` is None if unjudged.

    `answer` is what the site itself said instead of a model.
    """

    id: int
    lesson_id: str
    panel: str
    panel_hash: str
    created_at: datetime
    status: str
    values: Mapping[str, str]
    samples: tuple[SampleView, ...]
    of: int
    told: Told | None
    result: str | None
    answer: str | None
    error: str | None
    model: str
    note: str

    @property
    def replies(self) -> tuple[str, ...]:
        """The replies, in their order."""
        return tuple(sample.reply for sample in self.samples)

    def as_dict(self) -> dict[str, Any]:
        """Return the run as it is exported."""
        return {
            "id": self.id,
            "lesson": self.lesson_id,
            "panel": self.panel,
            "created_at": self.created_at.isoformat(),
            "status": self.status,
            "typed": dict(self.values),
            "replies": list(self.replies),
            "result": self.result,
            "told": self.told.message if self.told else self.answer,
            "model": self.model,
            "note": self.note,
        }


def find_run(services: Services, *, player_id: int, run_id: int) -> RunView:
    """Return one run of this player; raise NotFound for anybody else's."""
    with services.db.read() as session:
        return run_view(require_run(session, player_id, run_id))


def set_note(services: Services, *, player_id: int, run_id: int, note: str) -> RunView:
    """Write the player's own note on a run; an empty one removes it."""
    if len(note) > NOTE_CHARS:
        raise InvalidInput(f"A note has at most {NOTE_CHARS:,} characters.")
    text = require_text(note, what="note").strip()
    with services.db.write() as session:
        row = require_run(session, player_id, run_id)
        row.note = text
        view = run_view(row)
    if not text:
        services.db.wipe()
    return view


def require_run(
    session: Session, player_id: int, run_id: int, *, lock: bool = False
) -> Practice:
    """Return the row of a run of this player; raise NotFound for any other."""
    row = find_row(session, Practice, run_id, lock=lock)
    if row is None or row.player_id != player_id:
        raise NotFound("There is no such run in your notebook.")
    return row


def of_panel(player_id: int, lesson: Lesson, panel: str) -> Select[Practice]:
    """Return a query for a player's runs of a panel, under any id of its lesson."""
    return select(Practice).where(
        Practice.player_id == player_id,
        Practice.feature == PANEL,
        Practice.lesson_id.in_(ids(lesson)),
        Practice.panel == panel,
    )


def last_runs(
    session: Session, services: Services, player_id: int, lesson: Lesson, panel: str
) -> tuple[RunView, ...]:
    """Return the last runs of a panel, newest first."""
    rows = session.scalars(
        of_panel(player_id, lesson, panel)
        .order_by(Practice.id.desc())
        .limit(RUNS_SHOWN)
    )
    return tuple(map(run_view, rows))


def all_runs(
    services: Services,
    *,
    player_id: int,
    before: int | None = None,
    limit: int = RUNS_SHOWN,
) -> tuple[RunView, ...]:
    """Return a player's runs of all panels, newest first, for the notebook."""
    query = select(Practice).where(
        Practice.player_id == player_id, Practice.feature == PANEL
    )
    if before is not None:
        query = query.where(Practice.id < max(0, min(before, LAST_ID)))
    with services.db.read() as session:
        rows = session.scalars(query.order_by(Practice.id.desc()).limit(limit))
        return tuple(map(run_view, rows))


def export(services: Services, *, player_id: int) -> Iterator[RunView]:
    """Yield all runs of a player, newest first, a few at a time."""
    before: int | None = None
    while runs := all_runs(services, player_id=player_id, before=before, limit=200):
        yield from runs
        before = runs[-1].id


def failed_prompts(session: Session, player_id: int, lesson: Lesson, panel: str) -> int:
    """Return how many different prompts a player has tried that were not enough."""
    typed = session.scalars(
        of_panel(player_id, lesson, panel)
        .where(Practice.result == "failed")
        .with_only_columns(Practice.typed)
        .order_by(Practice.id.desc())
        .limit(200)
    )
    return len({tuple(sorted(values.items())) for values in typed})


def count_runs(session: Session, player_id: int) -> int:
    """Return how many runs a player has made."""
    query = (
        select(func.count())
        .select_from(Practice)
        .where(Practice.player_id == player_id, Practice.feature == PANEL)
    )
    return session.scalar(query) or 0


def run_view(row: Practice) -> RunView:
    """Return a row as its player may see it: all of it, as it is their own."""
    told = Told.of_row(row.outcome) if row.outcome else None
    of = told.tally.of if told else int(row.settings.get("samples", 1))
    needed = told.tally.needed if told else int(row.settings.get("needed", 1))
    return RunView(
        id=row.id,
        lesson_id=row.lesson_id,
        panel=row.panel,
        panel_hash=row.panel_hash,
        created_at=row.created_at,
        status=row.status,
        values=row.typed,
        samples=tuple(_samples(row, Tally(0, 0, 0, needed, of))),
        of=of,
        told=told,
        result=row.result,
        answer=row.reply if row.status in {HELPED, REFUSED} else None,
        error=row.error,
        model=row.model,
        note=row.note,
    )


def _samples(row: Practice, tally: Tally) -> Iterator[SampleView]:
    for kept in row.samples:
        if kept["status"] is not None:
            tally = tally.plus(kept["status"])
        yield SampleView(
            reply=kept["reply"],
            values=kept["values"],
            status=kept["status"],
            checks=tuple(map(Judged.of_row, kept["outcomes"])),
            mistake=kept["mistake"],
            finish=kept["finish"],
            tokens=kept["tokens"],
            ms=kept["ms"],
            seed=kept["seed"],
            tally=tally,
            chances=tuple(kept["chances"]),
        )
