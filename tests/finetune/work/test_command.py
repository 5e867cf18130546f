"""The command of the worker: whom it wakes, and what it looks at first."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.jobs.learning import Learning
from finetune.jobs.queue import Queue
from finetune.settings import load_settings
from finetune.weights.depot import Depot, DepotError, DepotRefused
from finetune.work import command
from tests.kit.sidecar import wait_until
from tests.kit.trainings import Workshop, new_job


def test_a_worker_wakes_itself_while_redis_is_away(tmp_path: Path) -> None:
    settings = load_settings({}, instance=tmp_path, queue_url="redis://127.0.0.1:1/0")
    shop = Workshop(tmp_path)
    job = shop.store.create(new_job(), most=1)
    command._look(shop.worker, Learning(settings), Queue(settings))
    wait_until(lambda: shop.store.get(job.id).status == "succeeded")


class Broken(Depot):
    """A depot with something wrong."""

    def __init__(self, error: DepotError) -> None:
        self._error = error

    def check(self) -> None:
        """Say what is wrong."""
        raise self._error


def test_a_worker_begins_only_where_it_may_write(tmp_path: Path) -> None:
    learning = Learning(load_settings({}, instance=tmp_path))
    learning.depot = Broken(DepotRefused("There is no bucket class: make it."))
    with pytest.raises(DepotRefused, match="There is no bucket class"):
        command._check(learning)


def test_a_worker_waits_for_a_depot_that_may_come_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learning = Learning(load_settings({}, instance=tmp_path))
    learning.depot = Broken(DepotError("The depot does not answer."))
    command._check(learning)
    assert caplog.messages == ["The depot does not answer."]
