"""The worker: what it makes of jobs, wishes, faults and its own end."""

from __future__ import annotations

import errno
import threading
from collections import Counter
from pathlib import Path

import pytest

from finetune.jobs.errors import CannotKeep, JobError
from finetune.jobs.job import Job
from finetune.training.control import Control
from finetune.work import watch
from tests.kit.sidecar import wait_until
from tests.kit.trainings import QuickTrainer, Workshop, new_job, until_stopped

MOST = 100


@pytest.fixture(autouse=True)
def _beats_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BEAT_SECONDS", 0.02)


def add(shop: Workshop, name: str = "model", user: str = "ada") -> Job:
    return shop.store.create(new_job(user, name), most=MOST)


def test_a_job_becomes_a_model(tmp_path):
    shop = Workshop(tmp_path)
    job = add(shop)
    shop.worker.work()
    now = shop.store.get(job.id)
    assert now.status == "succeeded"
    assert now.figures == {"heldout_loss": 1.5}
    assert now.worker == ""
    assert shop.trainer.released == ["model"]


def test_thirty_users_each_get_their_turn(tmp_path):
    """All finish, and nobody's first waits behind anybody's second."""
    order: list[str] = []
    shops = [
        Workshop(tmp_path, during=lambda job, _: order.append(job.user))
        for _ in range(3)
    ]
    shop = shops[0]
    users = [f"user{n}" for n in range(30)]
    ids = [add(shop, f"{user}-{turn}", user).id for user in users for turn in (1, 2)]
    threads = [each.start() for each in shops]
    for thread in threads:
        thread.join(120)
    assert {shop.store.get(job_id).status for job_id in ids} == {"succeeded"}
    assert set(order[:30]) == set(users)
    assert Counter(order) == dict.fromkeys(users, 2)


@pytest.mark.parametrize(
    ("action", "status"), [("pause", "paused"), ("cancel", "cancelled")]
)
def test_a_wish_ends_the_run_and_it_can_go_on(tmp_path, action, status):
    shop = Workshop(tmp_path, until_stopped)
    job = add(shop)
    thread = shop.start()
    wait_until(lambda: shop.trainer.trained)
    shop.store.ask(job.id, action, most=MOST)
    thread.join(30)
    assert shop.store.get(job.id).status == status
    assert shop.trainer.released == []
    assert shop.runs.has_checkpoint(job.id)
    shop.trainer._during = lambda job, control: None
    shop.store.ask(job.id, "resume", most=MOST)
    shop.worker.work()
    assert shop.store.get(job.id).status == "succeeded"


def test_keep_makes_a_model_of_what_was_learned(tmp_path):
    shop = Workshop(tmp_path, until_stopped)
    job = add(shop)
    thread = shop.start()
    wait_until(lambda: shop.trainer.trained)
    shop.store.ask(job.id, "keep", most=MOST)
    thread.join(30)
    assert [is_over for _, is_over in shop.trainer.trained] == [False, True]
    assert shop.store.get(job.id).status == "succeeded"
    assert shop.trainer.released == ["model"]


def test_a_cancelled_one_can_be_kept_later(tmp_path):
    shop = Workshop(tmp_path, until_stopped)
    job = add(shop)
    thread = shop.start()
    wait_until(lambda: shop.trainer.trained)
    shop.store.ask(job.id, "cancel", most=MOST)
    thread.join(30)
    shop.store.ask(job.id, "keep", most=MOST)
    shop.worker.work()
    assert shop.trainer.trained[-1][1] is True
    assert shop.store.get(job.id).status == "succeeded"


def test_a_worker_that_leaves_gives_its_job_back(tmp_path):
    shop = Workshop(tmp_path, until_stopped)
    job = add(shop)
    add(shop, "other")
    thread = shop.start()
    wait_until(lambda: shop.trainer.trained)
    shop.worker.leaving.set()
    thread.join(30)
    assert shop.store.get(job.id).status == "queued"
    # It does not begin the next one on its way out, and this one comes first.
    assert len(shop.trainer.trained) == 1
    assert next(waiting.id for waiting, _ in shop.store.queue()) == job.id


def test_a_worker_leaves_while_the_store_does_not_answer(tmp_path, monkeypatch):
    def is_away(*_: object, **__: object) -> None:
        raise CannotKeep("The jobs cannot be kept.")

    shop = Workshop(tmp_path, until_stopped)
    job = add(shop)
    thread = shop.start()
    wait_until(lambda: shop.trainer.trained)
    with monkeypatch.context() as away:
        for name in ("beat", "give_back"):
            away.setattr(shop.store, name, is_away)
        shop.worker.leaving.set()
        thread.join(30)
        assert not thread.is_alive()
    # It is the next worker's as soon as this one is found to be gone.
    assert shop.store.get(job.id).status == "running"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (JobError("The file is gone."), "The file is gone."),
        (OSError(errno.ENOSPC, "No space"), "the disk of this computer is full"),
        (RuntimeError("row: my secret"), "broke on something unexpected (mark "),
    ],
)
def test_a_job_that_breaks_says_why_and_the_next_is_done(tmp_path, error, said):
    def breaks(job: Job, control: Control) -> None:
        if job.name == "model":
            raise error

    shop = Workshop(tmp_path, breaks)
    job, other = add(shop), add(shop, "other")
    shop.worker.work()
    now = shop.store.get(job.id)
    assert now.status == "failed"
    assert said in now.error
    assert "secret" not in now.error
    assert shop.store.get(other.id).status == "succeeded"


def test_a_job_whose_end_cannot_be_written_is_done_again(tmp_path, monkeypatch):
    shop = Workshop(tmp_path)
    job = add(shop)

    def full(*args: object, **kwargs: object) -> None:
        raise CannotKeep("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "succeed", full)
        patch.setattr(shop.store, "fail", full)
        shop.worker.work()
    assert shop.store.get(job.id).status == "running"
    shop.worker.work()
    assert shop.store.get(job.id).status == "succeeded"
    assert len(shop.trainer.trained) == 1


def test_a_run_that_was_complete_is_only_released(tmp_path):
    """A worker killed between the end of a run and its model loses neither."""
    shop = Workshop(tmp_path)
    job = add(shop)
    folder = shop.runs.folder(job.id)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"figures": {"heldout_loss": 2}}')
    shop.worker.work()
    assert shop.trainer.trained == []
    assert shop.trainer.released == ["model"]
    assert shop.store.get(job.id).figures == {"heldout_loss": 2}


def test_the_locked_part_is_judged_in_the_queue(tmp_path):
    shop = Workshop(tmp_path)
    job = add(shop)
    shop.worker.work()
    shop.store.ask(job.id, "test", most=MOST)
    shop.worker.work()
    now = shop.store.get(job.id)
    assert now.figures == {"heldout_loss": 1.5, "test_perplexity": 7.0}
    assert (now.status, now.test) == ("succeeded", "done")


def test_training_waits_while_players_do(tmp_path):
    """It goes on when they have their replies, and the page is told of it."""
    seen = threading.Event()

    def watch_control(job: Job, control: Control) -> None:
        wait_until(lambda: control.is_pausing, 20)
        seen.set()
        wait_until(lambda: not control.is_pausing, 20)

    shop = Workshop(tmp_path, watch_control)
    job = add(shop)
    shop.engine.is_busy = True
    thread = shop.start()
    assert seen.wait(20)
    wait_until(lambda: shop.store.get(job.id).is_yielding, 20)
    shop.engine.is_busy = False
    thread.join(30)
    assert shop.store.get(job.id).status == "succeeded"
    assert shop.store.get(job.id).is_yielding is False


def test_torch_is_not_loaded_before_the_first_job(tmp_path: Path):
    shop = Workshop(tmp_path)
    loaded: list[str] = []

    def load() -> QuickTrainer:
        loaded.append("torch")
        return shop.trainer

    shop.worker._load_trainer = load
    shop.worker.work()
    assert loaded == []
    add(shop)
    add(shop, "other")
    shop.worker.work()
    assert len(loaded) == 1
