"""`bench train`: what counts as work, when a goal is reached, and small real runs."""

from __future__ import annotations

import argparse
import json
import math
import os
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from finetune.bench import train, work
from finetune.bench.runs import (
    Goal,
    Job,
    Lookout,
    Point,
    Run,
    heldout_loss,
    load_rows,
    reached,
    run_ours,
    write_rows,
)
from finetune.bench.train import Contender, alone, report
from finetune.bench.trainer import (
    Watch,
    Way,
    _filled,
    _packed,
    falling,
    run_trainer,
)
from finetune.bench.work import (
    Texts,
    Weights,
    documents,
    flops_per_token,
    measure_texts,
    measure_weights,
    peak_memory,
)
from finetune.data.packing import IGNORE, Document, pack
from finetune.data.shipped import SETS
from finetune.data.texts.errors import DataError
from finetune.jobs.bases import find_base
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import LmRecipe, Lora, TextRows
from finetune.settings import load_settings
from finetune.training.events import Judged, Step
from finetune.training.lora import add_adapters, prepare
from finetune.weights.base import load_base
from webapp.domain.train.choices import ZONES, Choices

FILLER = 2


@pytest.fixture
def quick_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the peak on small products: a large one in emulated bf16 is slow."""
    monkeypatch.setattr(work, "_SIDE", {"cpu": 256, "cuda": 256})
    monkeypatch.setattr(work, "_PEAK_SECONDS", 0.2)


def made(count: int) -> list[Document]:
    """Return documents of different sizes; the second half of each is its answer."""
    rng = random.Random(0)
    found = []
    for _ in range(count):
        ids = [rng.randrange(3, 200) for _ in range(rng.randrange(4, 40))]
        half = len(ids) // 2
        targets = [IGNORE] * (half - 1) + ids[half:] + [IGNORE]
        found.append(Document(ids, targets))
    return found


@pytest.fixture(scope="module")
def job(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Return a job with its rows written."""
    folder = tmp_path_factory.mktemp("bench")
    rng = random.Random(0)
    with (folder / "texts.txt").open("w") as file:
        for number in range(200):
            word = rng.choice(["apple", "bread", "cloud"])
            file.write(f"{number} times {word} are {number} of {word}\n")
    recipe = LmRecipe.model_validate(
        {
            "kind": "lm",
            "name": "tiny",
            "purpose": "For tests.",
            "base": str(tiny_base),
            "data": {"source": "rows", "path": str(folder / "texts.txt")},
            "lora": {"rank": 4, "alpha": 8},
            "block": 128,
            "rows": 4,
            "learning_rate": 0.02,
            "precision": "fp32",
        }
    )
    job = Job(recipe, folder / "rows.pt", folder / "out", folder / "models")
    write_rows(job)
    return job


# --- Work --------------------------------------------------------------------------


def test_packed_rows_are_taken_apart_again():
    given = made(50)
    found = documents(pack(given, 64, filler=FILLER), FILLER)
    assert sorted(found) == sorted(given)


def test_what_documents_are_made_of():
    given = [Document([5, 6, 7], [IGNORE, 7, IGNORE]), Document([5], [IGNORE])]
    # Tokens look at 1, 2, 3 and 1 tokens.
    assert measure_texts(given) == Texts(4, 7 / 4, 1 / 4)


def test_the_work_of_a_token():
    weights = Weights(blocks=1000, head=500, learned=10, attention=2)
    work = flops_per_token(weights, Texts(tokens=9, context=3.0, answers=0.5))
    assert work == 4 * 1000 + 6 * 10 + 12 * 2 * 3 + 4 * 500 / 2


@pytest.mark.parametrize("is_ours", [True, False])
def test_weights_of_a_model_with_adapters(tiny_base: Path, job: Job, is_ours: bool):
    model = load_base(str(tiny_base), cache=job.cache).model
    if is_ours:
        model = prepare(model, job.recipe.base, job.recipe.lora, is_bf16=False)
    else:
        model = add_adapters(model, Lora(rank=4, alpha=8))
    found = measure_weights(model)
    # Width 32, inner 64, one key head of 16 for two heads; 7 linear layers a block.
    sides = [(32, 32), (32, 16), (32, 16), (32, 32), (32, 64), (32, 64), (64, 32)]
    assert found.blocks == 2 * sum(a * b for a, b in sides)
    assert found.learned == 2 * sum(4 * (a + b) for a, b in sides)
    assert found.attention == 2 * 32
    assert found.head == model.get_base_model().lm_head.weight.numel()


def test_a_learned_head_counts_once(tiny_base: Path, job: Job):
    model = load_base(str(tiny_base), cache=job.cache).model
    found = measure_weights(model)
    assert (found.blocks, found.head) == (0, 0)
    assert found.learned == sum(weight.numel() for weight in model.parameters())


def test_memory_is_that_of_this_process():
    assert 50e6 < peak_memory() < 1e12


# --- The goal ----------------------------------------------------------------------


def test_when_a_loss_was_reached():
    curve = [Point(10, 0, 3.0), Point(20, 0, 2.0), Point(30, 0, 1.0)]
    assert reached(curve, 1.5) == 25
    assert reached(curve, 2.0) == 20
    assert reached(curve, 4.0) == 10
    assert reached(curve, 0.5) is None
    assert reached([], 1.0) is None


def test_the_rate_falls_as_ours_does_and_stays_above_nothing():
    found = [falling(done, 0.1) for done in (0.0, 0.05, 0.1, 0.55, 1.0, 3.0)]
    assert found == pytest.approx([0.02, 0.5, 1.0, 0.5, 0.05, 0.05])


def watched(losses: list[float], seconds: float) -> tuple[Watch, int]:
    """Let a run of one update a second be watched; judging takes 100 seconds."""
    now = 0.0
    waiting = iter(losses)

    def judge() -> float:
        nonlocal now
        now += 100
        return next(waiting)

    watch = Watch(
        Goal(1.0, tokens=200, seconds=seconds),
        each=5,
        device=torch.device("cpu"),
        judge=judge,
        clock=lambda: now,
    )
    now = 1000.0
    control = SimpleNamespace(should_training_stop=False)
    watch.on_train_begin(None, None, control)
    step = 0
    while not control.should_training_stop:
        step += 1
        now += 1
        watch.on_step_end(
            None, SimpleNamespace(global_step=step, max_steps=20), control
        )
    return watch, step


def test_judging_costs_no_time_and_ends_at_the_goal():
    watch, step = watched([4.0, 3.0, 2.0, 0.9], seconds=50)
    # A twentieth of 200 tokens is two updates of 5.
    curve = [Point(0, 0, 4.0), Point(2, 10, 3.0), Point(4, 20, 2.0), Point(6, 30, 0.9)]
    assert watch.curve == curve
    assert step == 6
    assert reached(watch.curve, 1.0) == pytest.approx(4 + 2 / 1.1)


def test_a_run_ends_with_its_time():
    watch, step = watched([3.1, 3.0, 2.9, 2.8], seconds=5)
    assert [point.loss for point in watch.curve] == [3.1, 3.0, 2.9, 2.8]
    assert step == 5
    assert reached(watch.curve, 1.0) is None


def test_a_run_is_judged_after_its_last_update():
    watch, step = watched([3.0] * 11, seconds=math.inf)
    assert (step, len(watch.curve)) == (20, 11)


def step_of(update: int, seconds: float) -> Step:
    """Return what is told of an update of ten tokens."""
    return Step(
        stage="answers",
        update=update,
        of=100,
        loss=1.0,
        parts={},
        rate=0.1,
        tokens=10 * update,
        tokens_per_second=None,
        seconds=seconds,
    )


def test_our_run_is_ended_at_the_goal():
    lookout = Lookout(Goal(1.0, tokens=1000, seconds=50))
    told = [(0, 0.0, 3.0), (1, 2.0, 1.5), (2, 4.0, 0.9)]
    for update, seconds, loss in told:
        assert not lookout.control.is_stopping
        if update:
            lookout.hear(step_of(update, seconds))
        figures = {"heldout_loss": loss}
        lookout.hear(Judged(stage="answers", update=update, figures=figures))
    assert lookout.control.is_stopping
    assert lookout.curve == [Point(0, 0, 3.0), Point(2, 10, 1.5), Point(4, 20, 0.9)]


def test_our_run_is_ended_with_its_time():
    lookout = Lookout(Goal(1.0, tokens=1000, seconds=50))
    lookout.hear(step_of(1, 49.0))
    assert not lookout.control.is_stopping
    lookout.hear(step_of(2, 50.0))
    assert lookout.control.is_stopping


# --- Batches -----------------------------------------------------------------------


def test_filled_and_packed_batches_have_the_same_loss(tiny_base: Path, tmp_path: Path):
    model = load_base(str(tiny_base), cache=tmp_path).model
    given = made(6)
    rows = pack(given, 64, filler=FILLER)
    answers = int((rows.targets != IGNORE).sum())
    wanted = heldout_loss(model, rows, at_once=2, is_bf16=False)
    for batch in (_filled(FILLER)(given), _packed(rows)(list(range(len(rows))))):
        assert int((batch["labels"] != IGNORE).sum()) == answers
        assert model(**batch).loss.item() == pytest.approx(wanted, rel=1e-4)


# --- Runs --------------------------------------------------------------------------


def test_rows_are_the_same_for_all(job: Job):
    rows = load_rows(job.rows)
    found = documents(rows.train, rows.filler)
    assert measure_texts(found) == rows.texts
    assert len(rows.heldout) > 0


def test_held_out_rows_leave_out_the_end_of_a_text(job: Job):
    rows = load_rows(job.rows)
    assert (rows.train.targets == rows.filler).any()
    assert not (rows.heldout.targets == rows.filler).any()
    assert rows.filler not in rows.stream


@pytest.mark.usefixtures("quick_peak")
def test_the_notebook_runs_to_its_end(job: Job):
    found = run_trainer(job, Goal(-math.inf, 2_000, math.inf), "notebook")
    # Three batches of 800 tokens.
    assert found.tokens == 2_400
    assert found.precision == "fp32"
    assert found.seconds is None
    assert found.loss < found.curve[0].loss
    assert 0 < found.share_of_peak < 1


@pytest.mark.usefixtures("quick_peak")
@pytest.mark.parametrize(
    ("way", "precision"), [(None, "fp32"), ("defaults", "fp32"), ("tuned", "bf16")]
)
def test_a_run_ends_at_the_goal(job: Job, way: Way | None, precision: str):
    endless = Goal(-math.inf, 8_000, 60)
    before = run_trainer(job, Goal(math.inf, 8_000, 60), "defaults").curve[0].loss
    goal = replace(endless, loss=before - 0.3)
    found = run_ours(job, goal) if way is None else run_trainer(job, goal, way)
    assert found.precision == precision
    assert found.curve[0].loss == pytest.approx(before, rel=0.01)
    assert found.seconds is not None
    assert 0 < found.seconds <= found.trained_seconds < 60
    assert found.loss <= goal.loss
    assert found.tokens_per_second > 0
    assert found.curve[-1].tokens == found.tokens


@pytest.mark.usefixtures("quick_peak")
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_goal_that_cannot_be_reached(job: Job, is_ours: bool):
    goal = Goal(0.0, 100_000, 0.5)
    found = run_ours(job, goal) if is_ours else run_trainer(job, goal, "defaults")
    assert found.seconds is None
    assert 0 < found.trained_seconds < 30


def test_each_run_has_a_process_of_its_own():
    assert alone(os.getpid) != os.getpid()


# --- The command -------------------------------------------------------------------


def run_of(seconds: float | None, device_bytes: int | None = None) -> Run:
    point = Point(120.0, 12_000, 1.5)
    return Run(
        seconds=seconds,
        trained_seconds=point.seconds,
        tokens=point.tokens,
        tokens_per_second=100.0,
        loss=point.loss,
        precision="bf16",
        device="CPU",
        share_of_peak=0.25,
        peak_bytes=3 * 10**9,
        device_bytes=device_bytes,
        curve=(point,),
    )


def test_the_table_of_runs():
    goal = Goal(1.5, 12_000, 360)
    shown = report(
        [
            Contender("the notebook", run_of(360.0)),
            Contender("quick", run_of(90.0)),
            Contender("slow", run_of(None)),
            Contender("broken", None, "no memory"),
        ],
        goal,
    ).splitlines()
    assert (
        shown[0] == "On CPU: with 12,000 tokens the notebook brings the held-out loss"
    )
    assert shown[1] == "from 1.5000 to 1.5000 nats per token."
    row = "the notebook bf16 360 1.00 100 25.0 % 3.00 GB"
    assert " ".join(shown[4].split()) == row
    assert shown[5].split()[2:4] == ["90", "4.00"]
    assert shown[6].split()[2:6] == [">", "120", "<", "3.00"]
    assert shown[7].split(None, 1) == ["broken", "not measured: no memory"]
    assert "GPU memory" in report([Contender("a", run_of(1.0, 10**9))], goal)


def test_the_command(job: Job, tmp_path, monkeypatch, capsys):
    goals: list[tuple[Goal, Way]] = []

    def trainer(job: Job, goal: Goal, way: Way) -> Run:
        goals.append((goal, way))
        if way == "tuned":
            raise MemoryError("too little")
        return run_of(None)

    monkeypatch.setattr(train, "_recipe", lambda data, folder: job.recipe)
    monkeypatch.setattr(train, "alone", lambda work, *given: work(*given))
    monkeypatch.setattr(train, "run_ours", lambda job, goal: run_of(60.0))
    monkeypatch.setattr(train, "run_trainer", trainer)
    out = tmp_path / "out.json"
    assert command(tmp_path, "--tokens", "9000", "--json", str(out)) == 0
    goal = Goal(1.5, 9_000, 120.0)
    assert goals == [
        (Goal(-math.inf, 9_000, math.inf), "notebook"),
        (goal, "defaults"),
        (goal, "tuned"),
    ]
    shown = capsys.readouterr().out
    assert "not measured: MemoryError: too little" in shown
    answer = json.loads(out.read_text())
    assert answer["goal"] == {"loss": 1.5, "tokens": 9_000, "seconds": 120.0}
    names = [run["name"] for run in answer["runs"]]
    assert names[:2] == ["the notebook", "ours"]
    assert len(names) == 6
    zones = [ZONES["lora"][1], ZONES["full"][1]]
    assert [changes["learning_rate"] for _, changes in train._OURS[1:]] == zones
    assert answer["runs"][1]["curve"] == [[120.0, 12_000, 1.5]]


def test_what_cannot_be_measured_is_said(tmp_path):
    with pytest.raises(RecipeError, match="--tokens must"):
        command(tmp_path, "--tokens", "0")
    with pytest.raises(DataError, match=r"nothing\.txt"):
        command(tmp_path, "--data", str(tmp_path / "nothing.txt"))


def command(instance: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return train.main(
        parser.parse_args(arguments), load_settings({}, instance=instance)
    )


def test_ours_has_the_settings_of_the_page(tmp_path: Path):
    offered = Choices().recipe({})
    shared = {name: offered[name] for name in train.SETTINGS if name != "base"}
    assert {n: v for n, v in train.SETTINGS.items() if n != "base"} == shared
    assert train.SETTINGS["base"] == find_base(Choices().base).place
    recipe = train._recipe("recipes", tmp_path)
    assert (tmp_path / "recipes.jsonl").is_file()
    assert isinstance(recipe.data, TextRows)
    assert recipe.data.text == SETS["recipes"].text
    assert (recipe.block, recipe.lora) == (256, Lora(rank=16, alpha=32))
