"""The jobs of an instance: made, taken by workers, steered, and ended.

Every change is one transaction, so that several workers and the sidecar may use the
store at once. Whose turn it is is decided at the moment of taking: first a job that was
interrupted; then one of the user who had the least seconds of training in the last
hour; then the one that came first.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from finetune.jobs.errors import NoSuch, NotNow, TooMany
from finetune.jobs.job import Job, Json, NewJob
from finetune.jobs.states import AFTER, ALLOWED, ENDED, Action, Status, Wish
from finetune.jobs.table import JobTable, job_of, run, time_of_database
from finetune.jobs.workers import SILENT_SECONDS, is_gone, own_machine, own_place

_HOUR: Final = 60  # minutes
# Whoever takes a turn has had at least this much, however short the job.
_LEAST_SECONDS: Final = 1.0
# A job that takes its worker down with it so often is not tried again.
_MOST_LOSSES: Final = 3
_WAITING = "(status = 'queued' OR test = 'waiting') AND worker = ''"
_QUEUE: Final = f"""
SELECT jobs.*, COALESCE(had.seconds, 0) AS had FROM jobs LEFT JOIN (
    SELECT "user", SUM(seconds) AS seconds FROM spent WHERE minute > :hour
    GROUP BY "user"
) AS had ON had."user" = jobs."user"
WHERE {_WAITING} ORDER BY is_interrupted DESC, had, number
"""  # noqa: S608 -- a constant
_DONE: Final[dict[Action, str]] = {
    "pause": "paused",
    "cancel": "cancelled",
    "resume": "resumed",
    "keep": "ended and kept",
    "test": "tested",
}
_LOST: Final = (
    f"The worker ended {_MOST_LOSSES} times while it trained this model. Perhaps the"
    " memory of this computer is too small for it: choose fewer rows at a time, or a"
    " smaller model."
)


class JobStore:
    """All jobs. Safe to use from many threads, processes and machines."""

    def __init__(
        self,
        place: Path | str,
        *,
        clock: Callable[[], float] = time.time,
        own: str = "",
        silent: float = SILENT_SECONDS,
    ) -> None:
        """`place` is a SQLite file, or the URL of a database that machines share.

        `own` is the name of this machine; a worker on another one that is `silent` for
        so many seconds has lost its job. Among machines the database's clock counts.
        """
        self._table = JobTable(place)
        self._clock = clock
        self._own = own or own_place()
        self._silent = silent

    def close(self) -> None:
        """Close the connections to a database of several machines."""
        self._table.close()

    # Callers: what a sidecar does for those who send jobs.

    def create(self, new: NewJob, *, most: int) -> Job:
        """Put a job into the queue; raise TooMany if the user has `most` there."""
        job_id = f"ftjob-{secrets.token_hex(12)}"
        with self._table.changing() as db:
            _check_room(db, new.user, most)
            run(
                db,
                'INSERT INTO jobs (id, created, "user", name, model, training_file,'
                " asked, recipe, expected, status) VALUES (:id, :created, :user, :name,"
                " :model, :training_file, :asked, :recipe, :expected, 'queued')",
                id=job_id,
                created=self._now(db),
                user=new.user,
                name=new.name,
                model=new.model,
                training_file=new.training_file,
                asked=json.dumps(new.asked),
                recipe=json.dumps(new.recipe),
                expected=new.expected,
            )
            return _get(db, job_id)

    def get(self, job_id: str) -> Job:
        """Return a job; raise NoSuch."""
        with self._table.reading() as db:
            return _get(db, job_id)

    def page(
        self, *, limit: int, after: str = "", user: str | None = None
    ) -> tuple[list[Job], bool]:
        """Return jobs, the newest first, and whether there are more.

        `after` is the id of the last one seen. Raises NoSuch if there is none such.
        """
        with self._table.reading() as db:
            below = _get(db, after).number if after else 1 << 62
            of_user = "" if user is None else 'AND "user" = :user'
            rows = (
                run(
                    db,
                    f"SELECT * FROM jobs WHERE number < :below {of_user}"  # noqa: S608 -- a constant
                    " ORDER BY number DESC LIMIT :limit",
                    below=below,
                    limit=limit + 1,
                    user=user,
                )
                .mappings()
                .all()
            )
        return [job_of(row) for row in rows[:limit]], len(rows) > limit

    def queue(self) -> list[tuple[Job, float]]:
        """Return who waits, in order as of now, and the seconds their users have had.

        The order changes with each turn: it is that of the next one to be taken.
        """
        with self._table.reading() as db:
            rows = run(db, _QUEUE, hour=self._last_hour(db)).mappings().all()
        return [(job_of(row), float(row["had"])) for row in rows]

    def running(self) -> list[Job]:
        """Return the jobs that workers have."""
        with self._table.reading() as db:
            return [job_of(row) for row in _taken(db)]

    def names(self) -> set[str]:
        """Return the names that the models of jobs have, or will have."""
        with self._table.reading() as db:
            return set(run(db, "SELECT name FROM jobs").scalars())

    def of_name(self, name: str) -> Job:
        """Return the job whose model has a name; raise NoSuch."""
        with self._table.reading() as db:
            found = run(db, "SELECT * FROM jobs WHERE name = :name", name=name)
            row = found.mappings().one_or_none()
        if row is None:
            raise NoSuch(f"No model {name[:60]!r} was trained here.", param="model")
        return job_of(row)

    def uses(self, file_id: str) -> bool:
        """Say whether a job that is not over learns from a file."""
        with self._table.reading() as db:
            row = run(
                db,
                "SELECT 1 FROM jobs WHERE training_file = :file AND (status IN"
                " ('queued', 'running', 'paused') OR test IN ('waiting', 'running'))",
                file=file_id,
            ).first()
        return row is not None

    def ask(self, job_id: str, action: Action, *, most: int) -> Job:
        """Pause, cancel, resume, keep or test a job.

        A running one is only told; its worker does it. Raises NoSuch, NotNow, or
        TooMany if a job cannot go back into the queue beside `most` others.
        """
        with self._table.changing() as db:
            self._reclaim(db)
            job = _get(db, job_id)
            if job.status not in ALLOWED[action]:
                raise NotNow(
                    f"This training is {job.status}: it cannot be {_DONE[action]} now."
                    f" That is possible while it is"
                    f" {' or '.join(sorted(ALLOWED[action]))}."
                )
            if action == "test":
                _ask_test(db, job)
            elif job.status == "running":
                _set(db, job, wish=action)
            elif action in AFTER:
                ended = {"finished": self._now(db)} if action == "cancel" else {}
                _set(db, job, status=AFTER[action], wish="", **ended)
            else:
                _check_room(db, job.user, most)
                wish = "keep" if action == "keep" else ""
                _set(
                    db, job, status="queued", wish=wish, error="", losses=0, finished=0
                )
            return _get(db, job_id)

    # Workers: what one does with the job that it has.

    def take(self, worker: str) -> Job | None:
        """Give the next job to a worker; None if there is none.

        Jobs of workers that are gone are among those to be taken, and what the worker
        itself could not end properly.
        """
        with self._table.changing() as db:
            self._reclaim(db, taker=worker)
            found = run(db, _QUEUE + " LIMIT 1", hour=self._last_hour(db))
            row = found.mappings().first()
            if row is None:
                return None
            job, now = job_of(row), self._now(db)
            changes: Json = {"worker": worker, "heard": now, "is_interrupted": False}
            changes["machine"] = own_machine()
            if job.status == "queued":
                changes |= {"status": "running", "started": job.started or now}
            else:
                changes["test"] = "running"
            _set(db, job, **changes)
            self._charge(db, job.user, _LEAST_SECONDS)
            return _get(db, job.id)

    def has_work(self) -> bool:
        """Say whether there is something to take, without changing anything."""
        with self._table.reading() as db:
            now = self._now(db)
            waits = run(db, f"SELECT 1 FROM jobs WHERE {_WAITING} LIMIT 1")  # noqa: S608 -- a constant
            return waits.first() is not None or any(
                self._is_lost(job_of(row), now) for row in _taken(db)
            )

    def beat(
        self, job: Job, *, seconds: float, is_yielding: bool = False
    ) -> tuple[Wish, bool]:
        """Tell that the worker lives; return what is wished, and if the job is its own.

        `seconds` of training have passed since the last time.
        """
        with self._table.changing() as db:
            now = _get(db, job.id)
            if now.worker != job.worker:
                return "", False
            self._charge(db, job.user, seconds)
            _set(db, job, heard=self._now(db), is_yielding=is_yielding)
            return now.wish, True

    def succeed(self, job: Job, *, figures: Json, tokens: int) -> None:
        """Say that the model of a job is complete and can be served."""
        self._end(job, "succeeded", figures=json.dumps(figures), tokens=tokens)

    def fail(self, job: Job, error: str) -> None:
        """Say in one sentence why a job came to nothing."""
        self._end(job, "failed", error=error)

    def leave(self, job: Job, status: Status) -> None:
        """Say that a job was ended on wish: it is paused or cancelled now."""
        self._end(job, status)

    def give_back(self, job: Job) -> None:
        """Put a job back, as the next one: its worker has to go."""
        with self._table.changing() as db:
            if _get(db, job.id).worker == job.worker:
                self._release(db, job)

    def tested(self, job: Job, figures: Json) -> None:
        """Add the figures of the locked part, for good."""
        with self._table.changing() as db:
            now = _get(db, job.id)
            _set(db, job, worker="", test="done", error="",
                 figures=json.dumps(now.figures | figures))  # fmt: skip

    def test_failed(self, job: Job, error: str) -> None:
        """Say why the locked part could not be judged; it stays locked."""
        with self._table.changing() as db:
            _set(db, job, worker="", test="", error=error)

    def change_recipe(self, job: Job, recipe: Json) -> None:
        """Note that a job is done by another recipe than it was made with."""
        with self._table.changing() as db:
            _set(db, job, recipe=json.dumps(recipe))

    def _end(self, job: Job, status: Status, **changes: Any) -> None:
        with self._table.changing() as db:
            finished = self._now(db) if status in ENDED else 0
            if _get(db, job.id).worker == job.worker:
                _set(db, job, status=status, worker="", wish="", is_yielding=False,
                     finished=finished, **changes)  # fmt: skip

    def _reclaim(self, db: Connection, *, taker: str = "") -> None:
        """Take back what workers have that are gone, or that ask for another job."""
        now = self._now(db)
        for row in _taken(db):
            job = job_of(row)
            if job.worker == taker or self._is_lost(job, now):
                self._release(db, job, losses=job.losses + 1)

    def _release(self, db: Connection, job: Job, *, losses: int = 0) -> None:
        if job.status != "running":
            _set(db, job, worker="", test="waiting", is_interrupted=True)
            return
        now = _get(db, job.id)
        status: Status = AFTER.get(now.wish, "queued")
        wish, error, finished = now.wish, "", 0.0
        if losses >= _MOST_LOSSES:
            status, error = "failed", _LOST
        if status != "queued":
            wish = ""
        if status in ENDED:
            finished = self._now(db)
        _set(db, job, status=status, worker="", wish=wish, error=error, losses=losses,
             finished=finished, is_interrupted=True, is_yielding=False)  # fmt: skip

    def _is_lost(self, job: Job, now: float) -> bool:
        silence = now - job.heard
        return is_gone(
            job.worker, own=self._own, silence=silence, patience=self._silent
        )

    def _now(self, db: Connection) -> float:
        return time_of_database(db) if self._table.is_shared else self._clock()

    def _last_hour(self, db: Connection) -> int:
        return int(self._now(db) // 60) - _HOUR

    def _charge(self, db: Connection, user: str, seconds: float) -> None:
        minute = int(self._now(db) // 60)
        run(db, "DELETE FROM spent WHERE minute <= :hour", hour=minute - _HOUR)
        run(
            db,
            "INSERT INTO spent VALUES (:user, :minute, :seconds)"
            ' ON CONFLICT ("user", minute)'
            " DO UPDATE SET seconds = spent.seconds + excluded.seconds",
            user=user,
            minute=minute,
            seconds=seconds,
        )


def _get(db: Connection, job_id: str) -> Job:
    found = run(db, "SELECT * FROM jobs WHERE id = :id", id=job_id)
    row = found.mappings().one_or_none()
    if row is None:
        raise NoSuch(f"There is no training {job_id[:60]!r}.", param="id")
    return job_of(row)


def _set(db: Connection, job: Job, **changes: Any) -> None:
    # The names are those of our own calls above.
    names = ", ".join(f"{name} = :{name}" for name in changes)
    values = {n: int(v) if isinstance(v, bool) else v for n, v in changes.items()}
    run(db, f"UPDATE jobs SET {names} WHERE id = :id", id=job.id, **values)  # noqa: S608


def _taken(db: Connection) -> Sequence[RowMapping]:
    return run(db, "SELECT * FROM jobs WHERE worker != ''").mappings().all()


def _check_room(db: Connection, user: str, most: int) -> None:
    count = run(
        db,
        'SELECT COUNT(*) FROM jobs WHERE "user" = :user'
        " AND status IN ('queued', 'running')",
        user=user,
    ).scalar_one()
    if count >= most:
        raise TooMany(
            f"{count} of your trainings are waiting or running, and more than {most} at"
            " a time would keep others waiting. Try again when one of them is over."
        )


def _ask_test(db: Connection, job: Job) -> None:
    if job.test:
        raise NotNow(
            "The test part was opened already: it is only fair once. Its figures are"
            " with the others of this training."
        )
    _set(db, job, test="waiting", error="")
