"""`bench train`: what counts as work, when a goal is reached, and small real runs."""

from __future__ import annotations

import argparse
import json
import os
import random
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from finetune.bench import train, work
from finetune.bench.runs import (
    Job,
    Point,
    Run,
    heldout_loss,
    load_rows,
    run_ours,
    write_rows,
)
from finetune.bench.train import Contender, alone, report
from finetune.bench.trainer import (
    Goal,
    Watch,
    _filled,
    _packed,
    falling,
    reached,
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
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import LmRecipe, Lora
from finetune.settings import load_settings
from finetune.training.lora import add_adapters, prepare
from finetune.weights.base import load_base

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
    with (folder / "dialogues.jsonl").open("w") as file:
        for number in range(200):
            word = rng.choice(["apple", "bread", "cloud"])
            asked = {"role": "user", "content": f"{number}: say {word}"}
            told = {"role": "assistant", "content": word}
            file.write(json.dumps({"messages": [asked, told]}) + "\n")
    recipe = LmRecipe.model_validate(
        {
            "kind": "lm",
            "name": "tiny",
            "purpose": "For tests.",
            "base": str(tiny_base),
            "data": {
                "source": "dialogues",
                "path": str(folder / "dialogues.jsonl"),
                "heldout": 0.1,
            },
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
    weights = Weights(blocks=1000, head=500, adapters=10, attention=2)
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
    assert found.adapters == 2 * sum(4 * (a + b) for a, b in sides)
    assert found.attention == 2 * 32
    assert found.head == model.get_base_model().lm_head.weight.numel()


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
        Goal(1.0, tokens=100, seconds=seconds, planned=100),
        each=5,
        device=torch.device("cpu"),
        judge=judge,
        clock=lambda: now,
    )
    now = 1000.0
    assert watch.seconds == 0
    control = SimpleNamespace(should_training_stop=False)
    watch.on_train_begin(None, None, control)
    step = 0
    while not control.should_training_stop:
        step += 1
        now += 1
        watch.on_step_end(None, SimpleNamespace(global_step=step), control)
    return watch, step


def test_judging_costs_no_time_and_ends_at_the_goal():
    watch, step = watched([3.0, 2.0, 0.9], seconds=50)
    # A tenth of 100 tokens is two updates of 5.
    assert watch.curve == [Point(2, 10, 3.0), Point(4, 20, 2.0), Point(6, 30, 0.9)]
    assert step == 6
    # What the learning rate goes by.
    assert watch.seconds == 6
    assert reached(watch.curve, 1.0) == pytest.approx(4 + 2 / 1.1)


def test_a_run_ends_with_its_time():
    watch, step = watched([3.0, 2.9, 2.8], seconds=5)
    assert [point.loss for point in watch.curve] == [3.0, 2.9, 2.8]
    assert step == 5
    assert reached(watch.curve, 1.0) is None


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


@pytest.mark.usefixtures("quick_peak")
def test_ours_and_both_trainers_run(job: Job):
    ours = run_ours(job, 0.03)
    assert ours.trained_seconds >= 1.8
    assert ours.precision == "fp32"
    assert 0 < ours.share_of_peak < 1
    # An easy goal: what ours had after a part of its time.
    goal = Goal(ours.loss + 0.5, ours.tokens, 60, 60)
    for is_tuned, precision in ((False, "fp32"), (True, "bf16")):
        found = run_trainer(job, goal, is_tuned=is_tuned)
        assert found.precision == precision
        assert found.seconds is not None
        assert found.seconds <= found.trained_seconds < 60
        assert found.loss <= goal.loss
        assert found.tokens_per_second > 0
        assert found.curve[-1].tokens == found.tokens


@pytest.mark.usefixtures("quick_peak")
def test_a_goal_that_cannot_be_reached(job: Job):
    found = run_trainer(job, Goal(0.0, 1000, 0.5, 0.5), is_tuned=False)
    assert found.seconds is None
    assert found.trained_seconds >= 0.5


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
    goal = Goal(1.5, 12_000, 720, 120)
    shown = report(
        [
            Contender("ours", run_of(120.0)),
            Contender("slower", run_of(300.0)),
            Contender("slowest", run_of(None)),
            Contender("broken", None, "no memory"),
        ],
        goal,
    ).splitlines()
    assert shown[0].startswith("On CPU, to a held-out loss of 1.5000")
    assert " ".join(shown[3].split()) == "ours bf16 120 1.00 100 25.0 % 3.00 GB"
    assert shown[4].split()[2:4] == ["300", "2.50"]
    assert shown[5].split()[2:6] == [">", "720", ">", "6.00"]
    assert shown[6].split(None, 1) == ["broken", "not measured: no memory"]
    assert "GPU memory" in report([Contender("ours", run_of(1.0, 10**9))], goal)


def test_the_command(job: Job, tmp_path, monkeypatch, capsys):
    goals: list[Goal] = []

    def trainer(job: Job, goal: Goal, is_tuned: bool) -> Run:
        goals.append(goal)
        if is_tuned:
            raise MemoryError("too little")
        return run_of(None)

    monkeypatch.setattr(train, "_recipe", lambda rows: job.recipe)
    monkeypatch.setattr(train, "alone", lambda work, *given: work(*given))
    monkeypatch.setattr(train, "run_ours", lambda job, minutes: run_of(60 * minutes))
    monkeypatch.setattr(train, "_run_trainer", trainer)
    out = tmp_path / "out.json"
    assert command(tmp_path, "--minutes", "2", "--json", str(out)) == 0
    assert goals == [Goal(1.5, 12_000, 720, 300), Goal(1.5, 12_000, 720, 120)]
    shown = capsys.readouterr().out
    assert "not measured: MemoryError: too little" in shown
    answer = json.loads(out.read_text())
    assert answer["loss"] == 1.5
    names = [run["name"] for run in answer["runs"]]
    assert names == ["ours", "Trainer, defaults", "Trainer, bf16 and packing"]
    assert answer["runs"][0]["curve"] == [[120.0, 12_000, 1.5]]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(("--minutes", "0"), "--minutes must"), (("--rows", "0"), "--rows must")],
)
def test_what_cannot_be_measured_is_said(tmp_path, arguments, problem):
    with pytest.raises(RecipeError, match=problem):
        command(tmp_path, *arguments)


def command(instance: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return train.main(
        parser.parse_args(arguments), load_settings({}, instance=instance)
    )


def test_the_wardens_recipe_can_be_cut():
    recipe = train._recipe(7)
    assert recipe.name == "warden"
    assert recipe.data == recipe.data.model_copy(update={"dialogues": 7})
