"""The training loop: it learns, goes on exactly, and never leaves half a model."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.tuners.lora import Linear as LoraLinear
from safetensors.torch import load_file

from finetune.recipes.common import RecipeError
from finetune.recipes.lm import LmRecipe
from finetune.training import lm, lora
from finetune.training.checkpoint import Checkpoint, Progress
from finetune.training.control import Control
from finetune.training.course import Course
from finetune.training.errors import TrainingError
from finetune.training.events import record
from finetune.weights.base import load_base

WORDS = ("apple", "bread", "cloud", "dance", "eagle", "flame", "grape", "house")


class Killed(Exception):
    """Stands for a process that dies in the middle of a run."""


@pytest.fixture(scope="module")
def dialogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of short dialogues that a small model can learn by heart."""
    path = tmp_path_factory.mktemp("data") / "dialogues.jsonl"
    rng = random.Random(0)
    rows = []
    for number in range(160):
        word = rng.choice(WORDS)
        rows.append(
            {
                "messages": [
                    {"role": "user", "content": f"{number}: say {word}"},
                    {"role": "assistant", "content": word},
                ]
            }
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def recipe(base: Path, data: Path, **changes: Any) -> LmRecipe:
    return LmRecipe.model_validate(
        {
            "kind": "lm",
            "name": "tiny",
            "purpose": "For tests.",
            "base": str(base),
            "seed": 3,
            "data": {"source": "dialogues", "path": str(data), "heldout": 0.1},
            "lora": {"rank": 4, "alpha": 8},
            "block": 128,
            "rows": 4,
            "epochs": 1,
            "learning_rate": 0.02,
            "precision": "fp32",
            "log_every": 1,
            "eval_every": 100,
        }
        | changes
    )


def run(
    chosen: LmRecipe,
    out: Path,
    *,
    resume: bool = False,
    emit=None,
    control: Control | None = None,
    save_every: float | None = 120,
):
    events: list[dict[str, Any]] = []
    tell = emit or events.append
    course = Course(
        chosen, out, resume=resume, emit=lambda event: tell(record(event)),
        control=control, save_every=save_every,
    )  # fmt: skip
    return lm.train(chosen, course, cache=out / "models"), events


def test_an_adapter_is_written(tiny_base, dialogues, tmp_path):
    figures, events = run(recipe(tiny_base, dialogues), tmp_path)
    losses = [event["loss"] for event in events if event["event"] == "step"]
    assert 0 < figures["heldout_loss"] < losses[0]
    assert load_file(tmp_path / lora.ADAPTER)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["r"] == 4
    assert not (tmp_path / "checkpoint").exists()


def test_the_same_seed_learns_the_same(tiny_base, dialogues, tmp_path):
    chosen = recipe(tiny_base, dialogues)
    assert (
        run(chosen, tmp_path / "a")[0]
        == run(chosen, tmp_path / "b")[0]
        != run(chosen.model_copy(update={"seed": 4}), tmp_path / "c")[0]
    )


def test_all_weights_can_be_trained(tiny_base, dialogues, tmp_path):
    chosen = recipe(tiny_base, dialogues, lora=None, learning_rate=0.01, epochs=6)
    figures, events = run(chosen, tmp_path)
    losses = [event["loss"] for event in events if event["event"] == "step"]
    assert losses[-1] < 0.6 * losses[0]
    assert figures["heldout_loss"] < 0.6 * losses[0]
    assert "model.embed_tokens.weight" in load_file(tmp_path / lora.WEIGHTS)


def test_a_killed_run_goes_on_exactly(tiny_base, dialogues, tmp_path):
    chosen = recipe(tiny_base, dialogues, epochs=2)
    whole, _ = run(chosen, tmp_path / "whole")

    def kill(event: dict[str, Any]) -> None:
        if event.get("update") == 5 and event["event"] == "step":
            raise Killed

    with pytest.raises(Killed):
        run(chosen, tmp_path / "killed", emit=kill, save_every=0)
    assert not (tmp_path / "killed" / lora.ADAPTER).exists()
    figures, _ = run(chosen, tmp_path / "killed", resume=True)
    assert figures == whole
    for name, tensor in load_file(tmp_path / "whole" / lora.ADAPTER).items():
        torch.testing.assert_close(
            load_file(tmp_path / "killed" / lora.ADAPTER)[name], tensor, rtol=0, atol=0
        )


def test_time_ends_a_run(tiny_base, dialogues, tmp_path):
    chosen = recipe(tiny_base, dialogues, epochs=10_000, minutes=0.02)
    _, events = run(chosen, tmp_path)
    steps = [event for event in events if event["event"] == "step"]
    assert len(steps) < 10_000
    assert steps[-1]["rate"] < steps[len(steps) // 2]["rate"]
    assert (tmp_path / lora.ADAPTER).is_file()


def test_a_loss_that_is_not_a_number_stops_the_run(tiny_base, dialogues, tmp_path):
    chosen = recipe(tiny_base, dialogues, learning_rate=1e30, epochs=4)
    with pytest.raises(TrainingError, match=r"not a number .*lower learning_rate"):
        run(chosen, tmp_path)
    assert not (tmp_path / lora.ADAPTER).exists()


def test_going_on_without_a_checkpoint(tiny_base, dialogues, tmp_path):
    with pytest.raises(RecipeError, match="no checkpoint"):
        run(recipe(tiny_base, dialogues), tmp_path, resume=True)


@pytest.mark.parametrize(
    "changes",
    [{"lora": None}, {"lora": {"rank": 2, "alpha": 8}}, {"learning_rate": 0.01}],
)
def test_going_on_with_another_recipe(
    tiny_base, dialogues, tmp_path, monkeypatch, changes
):
    monkeypatch.setattr(Course, "close", lambda self: None)
    run(recipe(tiny_base, dialogues), tmp_path)
    with pytest.raises(RecipeError, match="another model or recipe"):
        run(recipe(tiny_base, dialogues, **changes), tmp_path, resume=True)


def test_rows_that_hold_no_answer_are_refused(tiny_base, dialogues, tmp_path):
    data = tmp_path / "long.jsonl"
    long = {"role": "system", "content": "word " * 200}
    rows = [json.loads(line) for line in dialogues.read_text("utf-8").splitlines()]
    for row in rows:
        row["messages"].insert(0, long)
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with pytest.raises(RecipeError, match="No answer begins within the first 128"):
        run(recipe(tiny_base, data), tmp_path)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    layer = torch.nn.Linear(2, 2)
    kept = {"optimizer": torch.optim.AdamW(layer.parameters())}
    checkpoint = Checkpoint(tmp_path / "checkpoint")
    checkpoint.save(layer, kept, Progress(update=1))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RecipeError, match="No space left on device"):
        checkpoint.save(layer, kept, Progress(update=2))
    assert checkpoint.load(layer, kept).update == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("{}\n", r"data\.jsonl:1: a row is"),
        ('\n{"messages": [{"role": "king", "content": "x"}]}\n', r"data\.jsonl:2: a m"),
        ('{"messages": [{"role": "user", "content": "x"}]}\n', "nothing to learn"),
        ("", "too few dialogues"),
    ],
)
def test_broken_rows_are_named(tiny_base, tmp_path, rows: str, problem: str):
    data = tmp_path / "data.jsonl"
    data.write_text(rows, "utf-8")
    with pytest.raises(RecipeError, match=problem):
        run(recipe(tiny_base, data), tmp_path)


def test_adapted_layers_compute_what_peft_computes(tiny_base, dialogues, tmp_path):
    base = load_base(str(tiny_base), cache=tmp_path)
    chosen = recipe(tiny_base, dialogues)
    model = lora.prepare(base.model, chosen.base, chosen.lora, is_bf16=False)
    layers: list[Any] = [m for m in model.modules() if isinstance(m, LoraLinear)]
    assert len(layers) == 2 * 7
    for layer in layers:
        torch.nn.init.normal_(layer.lora_B["default"].weight)
        x = torch.randn(3, layer.in_features)
        theirs = LoraLinear.forward(layer, x)
        torch.testing.assert_close(layer(x), theirs, rtol=1e-4, atol=1e-5)


def test_a_run_can_go_on_from_an_adapter(tiny_base, dialogues, tmp_path):
    run(recipe(tiny_base, dialogues, learning_rate=0.01, epochs=4), tmp_path / "one")
    start = {"rank": 4, "alpha": 8, "start": str(tmp_path / "one")}
    changed = recipe(tiny_base, dialogues, lora=start, learning_rate=1e-9, epochs=0.1)
    run(changed, tmp_path / "two")
    one, two = (load_file(tmp_path / n / lora.ADAPTER) for n in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=1e-3, rtol=0.02)


def test_an_adapter_that_does_not_fit_is_refused(tiny_base, dialogues, tmp_path):
    run(recipe(tiny_base, dialogues, epochs=0.1), tmp_path / "one")
    start = {"rank": 2, "alpha": 4, "start": str(tmp_path / "one")}
    with pytest.raises(TrainingError, match="no adapter to go on from"):
        run(recipe(tiny_base, dialogues, lora=start), tmp_path / "two")
    start = {"rank": 4, "alpha": 8, "start": str(tmp_path / "none")}
    with pytest.raises(TrainingError, match="no adapter to go on from"):
        run(recipe(tiny_base, dialogues, lora=start), tmp_path / "three")
