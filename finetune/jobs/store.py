"""The jobs of an instance: made, taken by workers, steered, and ended.

Every change is one transaction, so that several workers and the sidecar may use the
store at once. Whose turn it is is decided at the moment of taking: first a job that was
interrupted; then one of the user who had the least seconds of training in the last
hour; then the one that came first.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from finetune.jobs.errors import NoSuch, NotNow, TooMany
from finetune.jobs.job import Job, Json, NewJob
from finetune.jobs.states import AFTER, ALLOWED, ENDED, Action, Status, Wish
from finetune.jobs.table import JobTable, job_of
from finetune.jobs.workers import is_gone, own_machine

_HOUR: Final = 60  # minutes
# Whoever takes a turn has had at least this much, however short the job.
_LEAST_SECONDS: Final = 1.0
# A job that takes its worker down with it so often is not tried again.
_MOST_LOSSES: Final = 3
_WAITING = "(status = 'queued' OR test = 'waiting') AND worker = ''"
_QUEUE: Final = f"""
SELECT jobs.*, COALESCE(had.seconds, 0) AS had FROM jobs LEFT JOIN (
    SELECT user, SUM(seconds) AS seconds FROM spent WHERE minute > ? GROUP BY user
) AS had ON had.user = jobs.user
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
    """All jobs. Safe to use from many threads and processes."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._table = JobTable(path)
        self._clock = clock

    # Callers: what a sidecar does for those who send jobs.

    def create(self, new: NewJob, *, most: int) -> Job:
        """Put a job into the queue; raise TooMany if the user has `most` there."""
        job_id = f"ftjob-{secrets.token_hex(12)}"
        with self._table.changing() as db:
            _check_room(db, new.user, most)
            db.execute(
                "INSERT INTO jobs (id, created, user, name, model, training_file,"
                " asked, recipe, expected, status) VALUES (?,?,?,?,?,?,?,?,?,'queued')",
                (
                    *(job_id, self._clock(), new.user, new.name, new.model),
                    *(new.training_file, json.dumps(new.asked)),
                    *(json.dumps(new.recipe), new.expected),
                ),
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
            rows = db.execute(
                "SELECT * FROM jobs WHERE number < ? AND (? IS NULL OR user = ?)"
                " ORDER BY number DESC LIMIT ?",
                (below, user, user, limit + 1),
            ).fetchall()
        return [job_of(row) for row in rows[:limit]], len(rows) > limit

    def queue(self) -> list[tuple[Job, float]]:
        """Return who waits, in order as of now, and the seconds their users have had.

        The order changes with each turn: it is that of the next one to be taken.
        """
        with self._table.reading() as db:
            rows = db.execute(_QUEUE, (self._last_hour(),)).fetchall()
        return [(job_of(row), float(row["had"])) for row in rows]

    def running(self) -> list[Job]:
        """Return the jobs that workers have."""
        with self._table.reading() as db:
            rows = db.execute("SELECT * FROM jobs WHERE worker != ''").fetchall()
        return [job_of(row) for row in rows]

    def names(self) -> set[str]:
        """Return the names that the models of jobs have, or will have."""
        with self._table.reading() as db:
            return {row["name"] for row in db.execute("SELECT name FROM jobs")}

    def of_name(self, name: str) -> Job:
        """Return the job whose model has a name; raise NoSuch."""
        with self._table.reading() as db:
            row = db.execute("SELECT * FROM jobs WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NoSuch(f"No model {name[:60]!r} was trained here.", param="model")
        return job_of(row)

    def uses(self, file_id: str) -> bool:
        """Say whether a job that is not over learns from a file."""
        with self._table.reading() as db:
            row = db.execute(
                "SELECT 1 FROM jobs WHERE training_file = ? AND (status IN"
                " ('queued', 'running', 'paused') OR test IN ('waiting', 'running'))",
                (file_id,),
            ).fetchone()
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
                ended = {"finished": self._clock()} if action == "cancel" else {}
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
            row = db.execute(_QUEUE + " LIMIT 1", (self._last_hour(),)).fetchone()
            if row is None:
                return None
            job, now = job_of(row), self._clock()
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
            rows = db.execute(
                f"SELECT * FROM jobs WHERE {_WAITING} OR worker != ''"  # noqa: S608 -- a constant
            )
            return any(not (job := job_of(row)).worker or self._is_lost(job)
                       for row in rows)  # fmt: skip

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
            _set(db, job, heard=self._clock(), is_yielding=is_yielding)
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
        finished = self._clock() if status in ENDED else 0
        with self._table.changing() as db:
            if _get(db, job.id).worker == job.worker:
                _set(db, job, status=status, worker="", wish="", is_yielding=False,
                     finished=finished, **changes)  # fmt: skip

    def _reclaim(self, db: sqlite3.Connection, *, taker: str = "") -> None:
        """Take back what workers have that are gone, or that ask for another job."""
        for row in db.execute("SELECT * FROM jobs WHERE worker != ''").fetchall():
            job = job_of(row)
            if job.worker == taker or self._is_lost(job):
                self._release(db, job, losses=job.losses + 1)

    def _release(self, db: sqlite3.Connection, job: Job, *, losses: int = 0) -> None:
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
            finished = self._clock()
        _set(db, job, status=status, worker="", wish=wish, error=error, losses=losses,
             finished=finished, is_interrupted=True, is_yielding=False)  # fmt: skip

    def _is_lost(self, job: Job) -> bool:
        return bool(job.worker) and is_gone(
            job.worker, heard=job.heard, now=self._clock()
        )

    def _last_hour(self) -> int:
        return int(self._clock() // 60) - _HOUR

    def _charge(self, db: sqlite3.Connection, user: str, seconds: float) -> None:
        db.execute("DELETE FROM spent WHERE minute <= ?", (self._last_hour(),))
        db.execute(
            "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (user, minute)"
            " DO UPDATE SET seconds = seconds + excluded.seconds",
            (user, int(self._clock() // 60), seconds),
        )


def _get(db: sqlite3.Connection, job_id: str) -> Job:
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise NoSuch(f"There is no training {job_id[:60]!r}.", param="id")
    return job_of(row)


def _set(db: sqlite3.Connection, job: Job, **changes: Any) -> None:
    # The names are those of our own calls above.
    names = ", ".join(f"{name} = ?" for name in changes)
    db.execute(
        f"UPDATE jobs SET {names} WHERE id = ?",  # noqa: S608
        (*changes.values(), job.id),
    )


def _check_room(db: sqlite3.Connection, user: str, most: int) -> None:
    (count,) = db.execute(
        "SELECT COUNT(*) FROM jobs WHERE user = ? AND status IN ('queued', 'running')",
        (user,),
    ).fetchone()
    if count >= most:
        raise TooMany(
            f"{count} of your trainings are waiting or running, and more than {most} at"
            " a time would keep others waiting. Try again when one of them is over."
        )


def _ask_test(db: sqlite3.Connection, job: Job) -> None:
    if job.test:
        raise NotNow(
            "The test part was opened already: it is only fair once. Its figures are"
            " with the others of this training."
        )
    _set(db, job, test="waiting", error="")
