"""Writers take turns, readers never wait, moments keep their zone."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from webapp.db import STORAGE_FAILED, Base, Database
from webapp.errors import StorageError
from webapp.migrations import migrate
from webapp.rows import SchoolClass, Usage
from webapp.settings import load_settings

pytestmark = pytest.mark.unit


@pytest.fixture
def db(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


def _class(name, when):
    return SchoolClass(name=name, join_code=name, season=1, created_at=when)


def test_a_counter_read_and_written_in_one_transaction_never_loses_a_step(db):
    with db.write() as session:
        session.add(Usage(scope="s", period="p", count=0))

    def step():
        with db.write() as session:
            row = session.scalars(select(Usage)).one()
            row.count += 1

    threads = [threading.Thread(target=step) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        assert session.scalars(select(Usage.count)).one() == 40


def test_writers_of_one_process_wait_without_asking_sqlite(db):
    begun = threading.Event()

    def write():
        begun.set()
        with db.write() as session:
            session.add(Usage(scope="later", period="p", count=1))

    thread = threading.Thread(target=write)
    with db.write() as session:
        session.add(Usage(scope="first", period="p", count=1))
        session.flush()
        thread.start()
        begun.wait()
        thread.join(0.1)
        assert db.engine.pool.checkedout() == 1
    thread.join()
    with db.read() as session:
        assert session.scalars(select(Usage.scope).order_by(Usage.scope)).all() == [
            "first",
            "later",
        ]


def test_a_writer_that_waits_too_long_says_so_and_others_go_on(db, monkeypatch):
    monkeypatch.setattr("webapp.db.BUSY_MS", 20)
    told = []

    def write():
        try:
            with db.write():
                pass
        except StorageError as error:
            told.append(error.message)

    thread = threading.Thread(target=write)
    with db.write():
        thread.start()
        thread.join()
    assert told == [STORAGE_FAILED]
    write()
    assert len(told) == 1


def test_an_error_rolls_everything_back(db):
    def add_twice():
        with db.write() as session:
            session.add(Usage(scope="s", period="p", count=1))
            session.flush()
            session.add(Usage(scope="s", period="p", count=2))

    with pytest.raises(IntegrityError):
        add_twice()
    with db.read() as session:
        assert session.scalars(select(Usage)).all() == []


def test_reading_goes_on_while_somebody_writes(db):
    with db.write() as writer:
        writer.add(Usage(scope="s", period="p", count=1))
        writer.flush()
        with db.read() as session:
            assert session.scalars(select(Usage)).all() == []


def test_times_come_back_in_utc_and_naive_ones_are_refused(db):
    local = datetime(2026, 5, 4, 12, tzinfo=timezone(timedelta(hours=2)))
    with db.write() as session:
        session.add(_class("a", local))
    with db.read() as session:
        stored = session.scalars(select(SchoolClass.created_at)).one()
    assert stored == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert stored.tzinfo is UTC

    def add_naive():
        with db.write() as session:
            session.add(_class("b", local.replace(tzinfo=None)))

    with pytest.raises(StatementError, match="without a zone"):
        add_naive()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "x?",
            "x?mode=memory",
            "100%25",
            "%41",
            "a b#c",
            "file:x?mode=memory&uri=true",
        ),
        *("a@b:c", "ünï", ":memory:", "two\nlines"),
    ],
)
def test_the_database_lies_inside_the_instance_whatever_its_name(tmp_path, name):
    instance = tmp_path / name
    instance.mkdir()
    database = Database(load_settings({}, instance=instance).database)
    migrate(database)
    database.dispose()
    assert (instance / "wordkeep.db").is_file()
    assert list(tmp_path.iterdir()) == [instance]
