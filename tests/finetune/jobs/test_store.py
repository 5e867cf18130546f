"""The store of jobs: whose turn it is, and what may be asked of whom."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from finetune.jobs.errors import NoSuch, NotNow, TooMany
from finetune.jobs.job import Job
from finetune.jobs.store import JobStore
from finetune.jobs.table import run
from finetune.jobs.workers import new_name, own_place
from tests.kit.trainings import new_job

MOST = 100
ME = new_name()


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs.db")


def add(store: JobStore, user: str, name: str) -> Job:
    return store.create(new_job(user, name), most=MOST)


def take(store: JobStore, worker: str = "") -> Job:
    job = store.take(worker or new_name())
    assert job is not None
    return job


def done(store: JobStore, job: Job, seconds: float = 0) -> None:
    store.beat(job, seconds=seconds)
    store.succeed(job, figures={}, tokens=1)


def dead_worker() -> str:
    """Return the name of a process that was here and is no more."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = psutil.Process(process.pid).create_time()
    process.communicate(b"\n")
    return f"{own_place()}:{process.pid}:{born:.2f}:0"


def test_the_first_come_is_the_first_taken(store):
    names = [add(store, user, user).name for user in ("ada", "bo", "cy")]
    assert [take(store).name for _ in names] == names
    assert store.take(ME) is None


def test_who_had_less_in_the_last_hour_comes_first(store):
    add(store, "ada", "a1")
    add(store, "ada", "a2")
    add(store, "bo", "b1")
    done(store, take(store), seconds=60)
    assert [job.name for job, _ in store.queue()] == ["b1", "a2"]
    done(store, take(store), seconds=200)
    add(store, "bo", "b2")
    # Ada had 61 seconds, Bo 201.
    assert [take(store).name, take(store).name] == ["a2", "b2"]


def test_what_was_had_is_forgotten_after_an_hour(tmp_path):
    now = 1_000_000.0
    store = JobStore(tmp_path / "jobs.db", clock=lambda: now)
    add(store, "ada", "a1")
    done(store, take(store), seconds=500)
    add(store, "ada", "a2")
    add(store, "bo", "b1")
    assert [job.name for job, _ in store.queue()] == ["b1", "a2"]
    now += 3700
    assert [job.name for job, _ in store.queue()] == ["a2", "b1"]


def test_no_job_is_taken_twice_by_many_workers(store):
    wanted = {add(store, f"user{n}", f"model{n}").id for n in range(40)}
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: store.take(new_name()), range(50)))
    found = [job.id for job in taken if job is not None]
    assert sorted(found) == sorted(wanted)


def test_nobody_has_more_than_the_limit(store):
    for n in range(3):
        store.create(new_job("ada", f"m{n}"), most=3)
    with pytest.raises(TooMany, match="3 of your trainings are waiting or running"):
        store.create(new_job("ada", "m3"), most=3)
    store.create(new_job("bo", "b"), most=3)
    store.ask(take(store).id, "cancel", most=3)  # still running: it counts
    with pytest.raises(TooMany):
        store.create(new_job("ada", "m4"), most=3)


@pytest.mark.parametrize(
    ("action", "status"),
    [("pause", "paused"), ("cancel", "cancelled")],
)
def test_a_waiting_job_is_changed_at_once(store, action, status):
    job = store.ask(add(store, "ada", "m").id, action, most=MOST)
    assert job.status == status
    assert store.take(ME) is None
    assert store.ask(job.id, "resume", most=MOST).status == "queued"
    assert take(store).id == job.id


def test_a_running_job_is_only_told(store):
    job = add(store, "ada", "m")
    mine = take(store)
    assert store.ask(job.id, "cancel", most=MOST).status == "running"
    assert store.beat(mine, seconds=1) == ("cancel", True)
    store.leave(mine, "cancelled")
    assert store.get(job.id).status == "cancelled"
    assert store.get(job.id).wish == ""


END: dict[str, Callable[[JobStore, Job], None]] = {
    "queued": lambda store, job: None,
    "succeeded": lambda store, job: done(store, take(store)),
    "failed": lambda store, job: store.fail(take(store), "It broke."),
    "cancelled": lambda store, job: store.leave(take(store), "cancelled"),
    "paused": lambda store, job: store.leave(take(store), "paused"),
}


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("queued", "resume"), ("queued", "keep"), ("queued", "test"),
        ("succeeded", "pause"), ("succeeded", "cancel"), ("succeeded", "resume"),
        ("succeeded", "keep"), ("failed", "pause"), ("failed", "cancel"),
        ("failed", "test"), ("cancelled", "pause"), ("cancelled", "cancel"),
        ("paused", "pause"), ("paused", "test"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_now_is_said(store, status, action):
    job = add(store, "ada", "m")
    END[status](store, job)
    with pytest.raises(NotNow, match=f"This training is {status}: it cannot be"):
        store.ask(job.id, action, most=MOST)
    assert store.get(job.id).status == status


def test_the_locked_part_is_opened_once(store):
    job = add(store, "ada", "m")
    done(store, take(store))
    store.ask(job.id, "test", most=MOST)
    with pytest.raises(NotNow, match="only fair once"):
        store.ask(job.id, "test", most=MOST)
    mine = take(store)
    assert (mine.status, mine.test) == ("succeeded", "running")
    store.tested(mine, {"test_perplexity": 3.0})
    assert store.get(job.id).figures == {"test_perplexity": 3.0}
    with pytest.raises(NotNow, match="only fair once"):
        store.ask(job.id, "test", most=MOST)


def test_a_dead_workers_job_is_the_next_one(store):
    lost = add(store, "ada", "lost")
    add(store, "bo", "other")
    store.beat(take(store, dead_worker()), seconds=500)
    assert store.has_work()
    again = take(store)
    assert (again.id, again.losses) == (lost.id, 1)


def test_a_living_worker_keeps_its_job_however_long_it_is_silent(tmp_path):
    now = 1_000_000.0
    store = JobStore(tmp_path / "jobs.db", clock=lambda: now)
    add(store, "ada", "m")
    take(store)
    now += 3600
    assert store.take(ME) is None
    assert not store.has_work()


def test_a_silent_worker_elsewhere_loses_its_job(tmp_path):
    now = 1_000_000.0
    store = JobStore(tmp_path / "jobs.db", clock=lambda: now)
    add(store, "ada", "m")
    theirs = take(store, "elsewhere:1:2.00:0")
    now += 29
    assert store.take(ME) is None
    now += 2
    mine = take(store)
    # The other one, should it wake up, is told and may change nothing.
    assert store.beat(theirs, seconds=1) == ("", False)
    store.succeed(theirs, figures={}, tokens=1)
    assert store.get(mine.id).status == "running"


def test_a_job_that_kills_its_workers_fails_in_the_end(store):
    job = add(store, "ada", "m")
    for _ in range(2):
        assert take(store, dead_worker()).id == job.id
    take(store, dead_worker())
    assert store.take(ME) is None
    assert store.get(job.id).status == "failed"
    assert "The worker ended 3 times" in store.get(job.id).error


@pytest.mark.parametrize(
    ("wish", "status"),
    [("pause", "paused"), ("cancel", "cancelled"), ("keep", "queued")],
)
def test_a_wish_outlives_the_worker(store, wish, status):
    job = add(store, "ada", "m")
    take(store, dead_worker())
    with store._table.changing() as db:
        run(db, "UPDATE jobs SET wish = :wish", wish=wish)
    taken = store.take(ME)
    assert store.get(job.id).status == ("running" if taken else status)
    if taken:
        assert taken.wish == "keep"


def test_given_back_it_is_the_next_one(store):
    job = add(store, "ada", "m")
    mine = take(store)
    add(store, "bo", "other")
    store.give_back(mine)
    assert store.get(job.id).status == "queued"
    assert (take(store).id, store.get(job.id).losses) == (job.id, 0)


def test_pages_of_jobs(store):
    ids = [add(store, f"user{n % 2}", f"m{n}").id for n in range(5)][::-1]
    first, has_more = store.page(limit=3)
    assert ([job.id for job in first], has_more) == (ids[:3], True)
    rest, has_more = store.page(limit=3, after=ids[2])
    assert ([job.id for job in rest], has_more) == (ids[3:], False)
    mine, _ = store.page(limit=9, user="user1")
    assert {job.user for job in mine} == {"user1"}
    with pytest.raises(NoSuch):
        store.page(limit=3, after="ftjob-no")
    with pytest.raises(NoSuch, match="There is no training 'x'"):
        store.get("x")


def test_what_a_worker_could_not_end_it_takes_again(store):
    job = add(store, "ada", "m")
    assert take(store, ME).id == job.id
    assert take(store, ME).id == job.id


def test_a_worker_is_named_by_its_process():
    assert ME.split(":")[-3] == str(os.getpid())
