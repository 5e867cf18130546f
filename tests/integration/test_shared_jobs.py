"""The jobs of several machines, in PostgreSQL: as in a file, and by one clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from finetune.jobs.errors import CannotKeep, TooMany
from finetune.jobs.job import Job
from finetune.jobs.store import JobStore
from finetune.jobs.table import run
from finetune.jobs.workers import new_name
from tests.kit.postgres import Postgres
from tests.kit.trainings import new_job

pytestmark = pytest.mark.integration

_number = itertools.count()


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(f"jobs{next(_number)}", create=True)


@pytest.fixture
def store(url: str) -> Iterator[JobStore]:
    store = JobStore(url, own="here")
    yield store
    store.close()


def add(store: JobStore, user: str, name: str) -> Job:
    return store.create(new_job(user, name), most=100)


def take(store: JobStore, place: str = "here") -> Job:
    job = store.take(new_name(place))
    assert job is not None
    return job


def test_a_job_lives_as_in_a_file(store: JobStore) -> None:
    first = add(store, "ada", "a1")
    add(store, "ada", "a2")
    other = add(store, "bo", "b1")
    mine = take(store)
    assert mine.id == first.id
    assert store.beat(mine, seconds=60, is_yielding=True) == ("", True)
    assert store.get(first.id).is_yielding
    store.ask(first.id, "cancel", most=9)
    assert store.beat(mine, seconds=1) == ("cancel", True)
    store.leave(mine, "cancelled")
    # Ada had a minute, Bo nothing.
    assert [(job.name, round(had)) for job, had in store.queue()] == [
        ("b1", 0), ("a2", 62),
    ]  # fmt: skip
    theirs = take(store)
    assert theirs.id == other.id
    store.succeed(theirs, figures={"heldout_loss": 1.5}, tokens=7)
    assert store.get(other.id).figures == {"heldout_loss": 1.5}
    found, has_more = store.page(limit=1, user="ada")
    assert ([job.name for job in found], has_more) == (["a2"], True)
    assert store.page(limit=5, after=found[0].id, user="ada")[0] == [
        store.get(first.id)
    ]
    assert store.names() == {"a1", "a2", "b1"}
    assert store.of_name("b1").id == other.id
    assert store.uses("file-x")
    with pytest.raises(TooMany):
        store.create(new_job("ada", "a3"), most=1)


def test_no_job_is_taken_twice(store: JobStore, url: str) -> None:
    wanted = {add(store, f"user{n}", f"model{n}").id for n in range(20)}
    stores = [JobStore(url, own=f"machine{n}") for n in range(4)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(
            pool.map(
                lambda n: stores[n % 4].take(new_name(f"machine{n % 4}")), range(28)
            )
        )
    assert sorted(job.id for job in taken if job is not None) == sorted(wanted)
    for each in stores:
        each.close()


def test_who_is_silent_elsewhere_loses_its_job_by_the_clock_of_all(url: str) -> None:
    # The clocks of machines may be wrong by years.
    store = JobStore(url, own="here", clock=lambda: 0.0, silent=30)
    job = add(store, "ada", "m")
    theirs = take(store, "elsewhere")
    assert store.take(new_name("here")) is None
    with store._table.changing() as db:
        run(db, "UPDATE jobs SET heard = heard - 29")
    assert not store.has_work()
    with store._table.changing() as db:
        run(db, "UPDATE jobs SET heard = heard - 2")
    assert store.has_work()
    mine = take(store)
    assert (mine.id, mine.losses) == (job.id, 1)
    assert store.beat(theirs, seconds=1) == ("", False)
    store.close()


def test_a_database_that_is_away_is_said_without_its_address() -> None:
    store = JobStore("postgresql+psycopg://w:hush@127.0.0.1:1/none")
    with pytest.raises(CannotKeep, match="its database does not answer") as caught:
        store.names()
    assert "hush" not in str(caught.value)
