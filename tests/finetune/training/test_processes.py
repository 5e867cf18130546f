"""Several processes that train one model, started by `accelerate launch`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from finetune.recipes.common import Recipe, RecipeError
from finetune.recipes.lm import LmRecipe
from finetune.recipes.reading import load_recipe
from finetune.training import command, lm, lora, sharding
from finetune.training.course import Course
from finetune.weights.base import load_base
from tests.finetune.tiny_models import write_tiny
from tests.finetune.training.student import stories
from tests.kit.sidecar import wait_until

PROJECT = Path(__file__).parents[3]
IN_PARTS = ("--use_fsdp",)
WHOLE = ("--multi_gpu",)
# `accelerate launch --cpu` starts one process only, whatever it is told.
ON_CPU = {
    **os.environ,
    "ACCELERATE_USE_CPU": "true",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(PROJECT),
}
PATIENCE = 300.0  # the machine of the tests is shared
UPDATES = 200


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "stories.txt"
    path.write_text("\n".join(stories(120)), "utf-8")
    return path


def recipe(base: str | Path, texts: Path, **changes: Any) -> LmRecipe:
    return LmRecipe.model_validate(
        {
            "kind": "lm",
            "name": "several",
            "purpose": "For tests.",
            "base": str(base),
            "seed": 3,
            "data": {"source": "rows", "path": str(texts)},
            "fresh": {"vocabulary": 300, "layers": 2, "width": 64, "heads": 4},
            "block": 48,
            "rows": 2,
            "epochs": 1,
            "learning_rate": 0.01,
            "precision": "fp32",
            "log_every": 1,
            "eval_every": 5,
            "sample": {"prompt": "The king", "tokens": 5, "every_seconds": 1},
        }
        | changes
    )


def launched(
    how: Sequence[str], chosen: LmRecipe, out: Path, *more: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start the real command in two processes."""
    path = out.with_name(f"{out.name}.yaml")
    path.write_text(chosen.model_dump_json(), "utf-8")
    return started(
        *("-m", "accelerate.commands.accelerate_cli", "launch"),
        *(*how, "--num_processes", "2", "--num_machines", "1"),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),
        *("--main_process_port", "0", "-m", "finetune", "train", str(path)),
        *("--out", str(out), "--instance", str(out / "instance"), *more),
    )


@contextmanager
def started(*arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**ON_CPU, **env},
        cwd=PROJECT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the end; return what it printed, and what it told."""
    return process.communicate(timeout=PATIENCE)


def done(running: AbstractContextManager[subprocess.Popen[str]]) -> str:
    """Wait for a run that comes to its end; return what it printed."""
    with running as process:
        printed, told = ended(process)
        assert process.returncode == 0, told[-3000:]
    return printed


def sigterm(launcher: subprocess.Popen[str]) -> None:
    launcher.send_signal(signal.SIGTERM)


def ctrl_c(launcher: subprocess.Popen[str]) -> None:
    """Do what a terminal does: it tells the launcher, and what that has started."""
    os.killpg(launcher.pid, signal.SIGINT)


def alone(chosen: LmRecipe, out: Path) -> dict[str, float]:
    """Make the same run in this process: twice the rows at a time."""
    both = chosen.model_copy(update={"rows": 2 * chosen.rows})
    return lm.train(both, Course(both, out), cache=out / "models")


def events(out: Path, name: str) -> list[dict[str, Any]]:
    lines = (out / "events.jsonl").read_text("utf-8").splitlines()
    return [event for line in lines if (event := json.loads(line))["event"] == name]


def check_same(out: Path, other: Path, file: str) -> None:
    """Compare what was learned, which is written in 16 bits."""
    found, wanted = (load_file(folder / file) for folder in (out, other))
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        torch.testing.assert_close(found[name], tensor, rtol=0.02, atol=2e-3)


def check_figures(out: Path, wanted: dict[str, float]) -> None:
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["figures"] == pytest.approx(wanted, rel=2e-3)


@pytest.mark.parametrize("how", [WHOLE, IN_PARTS], ids=["whole", "in parts"])
def test_adapters_are_learned_as_by_one_process(tiny_base, rows, tmp_path, how):
    chosen = recipe(tiny_base, rows, lora={"rank": 4, "alpha": 8})
    wanted = alone(chosen, tmp_path / "one")
    printed = done(launched(how, chosen, tmp_path / "two"))
    check_figures(tmp_path / "two", wanted)
    check_same(tmp_path / "two", tmp_path / "one", lora.ADAPTER)
    # The first process writes and tells, and no other.
    assert printed.count("The model is in") == 1
    for name in ("started", "rows", "stage", "finished"):
        assert len(events(tmp_path / "two", name)) == 1
    updates = [event["update"] for event in events(tmp_path / "two", "step")]
    assert updates == [*range(1, len(updates) + 1)]
    assert not (tmp_path / "two" / "checkpoint").exists()


@pytest.mark.parametrize(
    ("how", "base", "stop"),
    [(WHOLE, "tiny", sigterm), (IN_PARTS, "fresh", ctrl_c)],
    ids=["whole", "in parts, from nothing"],
)
def test_all_weights_go_on_after_a_stop(tiny_base, rows, tmp_path, how, base, stop):
    start = "fresh" if base == "fresh" else tiny_base
    chosen = recipe(start, rows, lora=None, updates=UPDATES, epochs=100, sample=None,
                    eval_every=1000, learning_rate=0.002)  # fmt: skip
    wanted = alone(chosen, tmp_path / "one")
    out = tmp_path / "two"
    with launched(how, chosen, out) as process:
        wait_until(
            lambda: (
                process.poll() is not None
                or ((out / "events.jsonl").exists() and events(out, "step"))
            ),
            PATIENCE,
        )
        stop(process)
        _, told = ended(process)
    assert len(events(out, "stopped")) == 1, told[-3000:]
    assert 0 < len(events(out, "step")) < UPDATES
    assert not (out / lora.WEIGHTS).exists()
    done(launched(how, chosen, out, "--resume"))
    steps = [event["update"] for event in events(out, "step")]
    assert steps == [*range(1, UPDATES + 1)]
    check_figures(out, wanted)
    check_same(out, tmp_path / "one", lora.WEIGHTS)


def test_a_model_in_parts_computes_what_a_whole_one_does(tmp_path):
    done(
        started(
            *("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
            *("-m", "tests.finetune.training.parts", str(tmp_path)),
            ACCELERATE_USE_FSDP="true",
        )
    )


def test_too_few_rows_for_all_processes(tiny_base, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(lm, "in_parts", lambda accelerator: True)
    chosen = recipe(tiny_base, rows, rows=800)
    with pytest.raises(RecipeError, match="need 800 rows for each update, and there"):
        lm.train(chosen, Course(chosen, tmp_path), cache=tmp_path)


def test_some_kinds_cannot_be_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(sharding, "in_parts", lambda accelerator: True)
    made = load_base(str(write_tiny(tmp_path, "bloom", stories(9))), cache=tmp_path)
    with pytest.raises(RecipeError, match="reads one document after the other"):
        sharding.place(made.model, Accelerator(cpu=True))


def test_guards_learn_in_one_process(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    gate: Recipe = load_recipe(PROJECT / "finetune/recipes/gate.yaml")
    with pytest.raises(RecipeError, match="gate is a guard, and guards learn in one"):
        command.train(gate, Course(gate, tmp_path), cache=tmp_path)
