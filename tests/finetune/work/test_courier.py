"""Machines hand a run on: what is further counts, and no run waits for a depot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from finetune.jobs.following import Following
from finetune.jobs.job import Job
from finetune.jobs.learning import Learning
from finetune.jobs.runs import Runs
from finetune.settings import load_settings
from finetune.training.events import Emit, Event, Saved, record
from finetune.weights.depot import Depot, DepotError, DepotRefused, open_depot
from finetune.weights.releases import MANIFEST
from finetune.work import courier
from finetune.work.courier import Courier, bring_run, send_result
from tests.kit.sidecar import wait_until
from tests.kit.trainings import Workshop, new_job


@pytest.fixture(autouse=True)
def _sends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "_SEND_SECONDS", 0.01)


class Machine:
    """A folder of runs, and the way to the depot that all have."""

    def __init__(self, folder: Path, depot: Depot) -> None:
        self.folder = folder
        self.runs = Runs(folder / "runs")
        self.depot = depot

    def train(self, job: Job, *updates: int) -> None:
        """Do as a run does: write a checkpoint after each of the updates."""
        with self.courier(job) as emit:
            for update in updates:
                self.save(job, update)
                emit(saved(update))

    def courier(self, job: Job) -> Courier:
        return Courier(
            job,
            log_of(self.runs, job),
            runs=self.runs,
            depot=self.depot,
            outgoing=self.folder / "outgoing",
        )

    def save(self, job: Job, update: int) -> None:
        checkpoint = self.runs.folder(job.id) / "checkpoint"
        checkpoint.mkdir(parents=True, exist_ok=True)
        (checkpoint / "begun.json").write_text("{}")
        (checkpoint / "state.pt").unlink(missing_ok=True)
        (checkpoint / "state.pt").write_text(f"after {update}")

    def bring(self, job: Job) -> str:
        """Fetch what is known of a run; return which state it is in."""
        bring_run(job, runs=self.runs, depot=self.depot)
        return (self.runs.folder(job.id) / "checkpoint" / "state.pt").read_text()

    def told(self, job: Job) -> list[int]:
        return [event["update"] for event in self.runs.log(job.id).events]


def log_of(runs: Runs, job: Job) -> Emit:
    path = runs.events_file(job.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()

    def emit(event: Event) -> None:
        with path.open("a") as log:
            log.write(f"{json.dumps(record(event))}\n")

    return emit


def saved(update: int) -> Event:
    return Saved(stage="answers", update=update, seconds=1.0)


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return open_depot(f"file://{tmp_path}/there", incoming=tmp_path / "incoming")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Workshop(tmp_path / "shop").store.create(new_job(), most=1)


@pytest.fixture
def machines(tmp_path: Path, depot: Depot) -> tuple[Machine, Machine]:
    return Machine(tmp_path / "a", depot), Machine(tmp_path / "b", depot)


def test_a_run_goes_on_elsewhere_from_the_last_checkpoint(machines, job):
    here, there = machines
    here.train(job, 10, 20)
    assert there.bring(job) == "after 20"
    assert there.told(job) == [10, 20]
    there.train(job, 30)
    assert here.bring(job) == "after 30"
    assert here.told(job) == [10, 20, 30]


def test_what_is_further_counts(machines, job):
    here, there = machines
    here.train(job, 10)
    there.bring(job)
    there.train(job, 20, 30)
    # One that was cut off and comes back with less changes nothing for the others.
    here.train(job, 15)
    assert there.bring(job) == "after 30"
    assert here.bring(job) == "after 30"
    assert here.told(job) == [10, 20, 30]


class Away(Depot):
    """A depot that does not answer until it is told to."""

    is_shared = True

    def __init__(self) -> None:
        self.is_away = True
        self.asked = 0
        self.sent: list[int] = []

    def look(self, key: str) -> None:
        """Count who asks."""
        self.asked += 1
        if self.is_away:
            raise DepotError("The depot does not answer.")

    def send(self, key: str, files: Mapping[str, Path], *, progress: int = 0) -> None:
        """Take note."""
        self.sent.append(progress)


def test_a_run_goes_on_without_the_depot_and_sends_later(tmp_path, job):
    depot = Away()
    machine = Machine(tmp_path / "a", depot)
    with machine.courier(job) as emit:
        for update in (10, 20):
            machine.save(job, update)
            emit(saved(update))
        wait_until(lambda: depot.asked > 2)
        assert depot.sent == []
        depot.is_away = False
        wait_until(lambda: depot.sent)
    # The newest is enough.
    assert depot.sent == [20]
    assert list((tmp_path / "a" / "outgoing").iterdir()) == []


def learning(folder: Path, tmp_path: Path) -> Learning:
    settings = load_settings(
        {},
        instance=folder,
        store_url=f"file://{tmp_path}/there",
        jobs_url="postgresql+psycopg://nobody@127.0.0.1:1/none",
    )
    return Learning(settings, follows=True)


def test_the_site_has_the_models_that_others_made(machines, job, depot, tmp_path):
    here, _ = machines
    here.train(job, 10)
    (here.runs.folder(job.id) / "run.json").write_text('{"figures": {"loss": 1.5}}')
    model = tmp_path / "model"
    model.mkdir()
    (model / MANIFEST).write_text('{"name": "model"}')
    (model / "model.gguf").write_text("weights")
    send_result(job, model, runs=here.runs, depot=depot)

    site = learning(tmp_path / "site", tmp_path)
    following = Following(site)
    following.fetch_models()
    found = site.models / job.name
    assert json.loads((found / MANIFEST).read_text()) == {"name": "model"}
    assert (found / "model.gguf").read_text() == "weights"
    following.catch_up(job)
    assert site.runs.is_complete(job.id)
    assert site.runs.figures(job.id) == {"loss": 1.5}
    # Its weights lie where they are until somebody asks for them.
    assert not (site.runs.folder(job.id) / "checkpoint" / "state.pt").exists()
    following.fetch_result(job, "saved.json")
    assert (site.runs.folder(job.id) / "saved.json").is_file()

    following.forget(job)
    Following(site).fetch_models()
    assert not found.exists()
    assert depot.look(f"runs/{job.id}") is None


def test_a_damaged_model_keeps_no_other_away(depot, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / MANIFEST).write_text("{}")
    for name in ("a", "b"):
        depot.send(f"models/{name}", {MANIFEST: folder / MANIFEST})
    (broken,) = (tmp_path / "there" / "objects" / "models" / "a").iterdir()
    broken.write_text("something else")
    site = learning(tmp_path / "site", tmp_path)
    following = Following(site)
    following.fetch_models()
    assert [path.name for path in site.models.iterdir()] == ["b"]
    assert "models/a is not what was put into the depot" in following.problem


def test_a_depot_that_was_lost_takes_no_model_with_it(depot, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / MANIFEST).write_text("{}")
    depot.send("models/a", {MANIFEST: folder / MANIFEST})
    site = learning(tmp_path / "site", tmp_path)
    Following(site).fetch_models()
    shutil.rmtree(tmp_path / "there")
    Following(site).fetch_models()
    assert (site.models / "a" / MANIFEST).is_file()


def test_models_of_this_machine_alone_stay(tmp_path):
    site = learning(tmp_path / "site", tmp_path)
    own = site.models / "own"
    own.mkdir(parents=True)
    (own / MANIFEST).write_text("{}")
    Following(site).fetch_models()
    assert (own / MANIFEST).is_file()


def test_a_depot_that_refuses_is_told(tmp_path):
    site = learning(tmp_path / "site", tmp_path)
    (tmp_path / "there").write_text("no folder")
    following = Following(site)
    following.fetch_models()
    assert "does not answer" in following.problem
    (tmp_path / "there").unlink()
    following.fetch_models()
    assert following.problem == ""


def test_a_job_waits_for_the_depot(tmp_path, monkeypatch):
    shop = Workshop(tmp_path)
    job = shop.store.create(new_job(), most=1)
    error: list[DepotError] = [DepotError("The depot does not answer.")]

    def prepare(job: Job) -> None:
        if error:
            raise error[0]

    monkeypatch.setattr(shop.trainer, "prepare", prepare)
    for _ in range(5):  # more often than a job may lose its worker
        shop.worker.work()
        assert (shop.store.get(job.id).status, shop.trainer.trained) == ("queued", [])
    error.clear()
    shop.worker.work()
    assert shop.store.get(job.id).status == "succeeded"


def test_a_job_does_not_wait_where_waiting_does_not_help(tmp_path, monkeypatch):
    shop = Workshop(tmp_path)
    job = shop.store.create(new_job(), most=1)

    def prepare(job: Job) -> None:
        raise DepotRefused("There is no bucket class: make it.")

    monkeypatch.setattr(shop.trainer, "prepare", prepare)
    shop.worker.work()
    assert shop.store.get(job.id).error == "There is no bucket class: make it."
