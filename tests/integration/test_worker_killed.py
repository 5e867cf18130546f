"""A worker killed at any moment: its job goes on, to the loss of an undisturbed run."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from finetune.jobs.asking import Asked, build_recipe
from finetune.jobs.bases import find_base
from finetune.jobs.job import Job, NewJob
from finetune.jobs.learning import Learning
from finetune.jobs.queue import Queue
from finetune.settings import load_settings
from tests.kit.sidecar import wait_until
from tests.kit.workers import running_worker

pytestmark = pytest.mark.slow

LONGEST = 600.0
UPDATES = 60
SETTINGS = {
    "fresh": {"vocabulary": 256, "layers": 2, "width": 64, "heads": 2},
    "block": 64,
    "rows": 4,
    "updates": UPDATES,
    "epochs": 50,
    "log_every": 1,
    "data": {"text": "{text}"},
}


@pytest.fixture
def learning(tmp_path: Path) -> Learning:
    return Learning(load_settings({}, instance=tmp_path))


def add(learning: Learning, name: str) -> Job:
    path = learning.data_path("shipped-recipes")
    recipe = build_recipe(
        Asked(recipe=SETTINGS), find_base("fresh-small"), path=path, minutes=30
    )
    told = recipe.model_dump(mode="json")
    job = learning.jobs.create(
        NewJob(
            user=name, name=name, model="fresh-small", asked={}, expected=9.0,
            training_file="shipped-recipes", recipe=told,
        ),
        most=9,
    )  # fmt: skip
    Queue(learning.settings).wake()
    return job


def update(learning: Learning, job: Job) -> int:
    found: int = learning.runs.log(job.id).step.get("update", 0)
    return found


def is_over(learning: Learning, job: Job) -> bool:
    now = learning.jobs.get(job.id)
    assert now.status in ("queued", "running", "succeeded"), now.error
    return now.status == "succeeded"


def await_update(learning: Learning, job: Job, place: int) -> None:
    wait_until(lambda: update(learning, job) >= place, LONGEST)


def await_end(learning: Learning, job: Job) -> None:
    wait_until(lambda: is_over(learning, job), LONGEST)


def figures(learning: Learning, job: Job) -> dict[str, Any]:
    manifest = learning.settings.instance / "models" / job.name / "manifest.json"
    assert json.loads(manifest.read_text())["name"] == job.name
    return learning.jobs.get(job.id).figures


def test_killed_and_stopped_it_comes_to_the_same_loss(learning: Learning) -> None:
    instance = learning.settings.instance
    whole = add(learning, "whole")
    with running_worker(instance):
        await_end(learning, whole)
    wanted = figures(learning, whole)

    job = add(learning, "disturbed")
    rng = random.Random(3)
    for place in sorted(rng.sample(range(1, UPDATES), 2)):
        with running_worker(instance) as worker:
            await_update(learning, job, place)
            worker.kill()
        assert not is_over(learning, job)
    with running_worker(instance) as worker:
        started = update(learning, job)
        wait_until(lambda: update(learning, job) not in (0, started), LONGEST)
        if not is_over(learning, job):
            assert worker.stop() == 0
    with running_worker(instance):
        await_end(learning, job)
    found = figures(learning, job)
    assert found["heldout_loss"] == pytest.approx(wanted["heldout_loss"], abs=1e-3)
    # Every update is there once, whatever was told twice.
    assert sorted(learning.runs.log(job.id).steps) == list(range(1, UPDATES + 1))


def test_two_workers_share_the_queue(learning: Learning) -> None:
    jobs = [add(learning, f"model{n}") for n in range(3)]
    instance = learning.settings.instance
    with running_worker(instance), running_worker(instance):
        for job in jobs:
            await_end(learning, job)
    for job in jobs:
        started = [
            e for e in learning.runs.log(job.id).events if e["event"] == "started"
        ]
        assert len(started) == 1
