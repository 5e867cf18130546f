"""The course of a run: clock, budget, pauses, checkpoints, events, and a polite end."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from finetune.jobs.asking import Asked, build_recipe
from finetune.jobs.bases import find_base
from finetune.recipes.common import Recipe, RecipeError
from finetune.training import checkpoint, events
from finetune.training.clock import Clock
from finetune.training.control import Control, obeying_signals
from finetune.training.course import Course, Stage
from finetune.training.errors import RunStopped
from finetune.training.events import Event, Paused, Step, record


class Told(list[Event]):
    """The events of a run; `at` is what to do when one with a name is told."""

    def __init__(self, **at: Any) -> None:
        super().__init__()
        self._at = at

    def __call__(self, event: Event) -> None:
        self.append(event)
        if event.event in self._at:
            self._at[event.event](event)

    def names(self) -> list[str]:
        return [event.event for event in self]


def recipe(**changes: Any) -> Recipe:
    given = {"name": "tiny", "purpose": "For tests.", "base": "somewhere"}
    return Recipe.model_validate(given | changes)


def stage_of(course: Course, of: int = 4, **changes: Any) -> Stage:
    """Return a stage that learns two weights."""
    layer = torch.nn.Linear(1, 1)
    kept = {"optimizer": torch.optim.SGD(layer.parameters())}
    return course.stage("only", model=layer, kept=kept, of=of, **changes)


def make(stage: Stage, seconds: float = 0.0) -> int:
    """Make updates until the end; return how many."""
    count = 0
    while stage.goes_on():
        time.sleep(seconds)
        stage.step(loss=torch.tensor(2.0), tokens=10, rate=0.5)
        count += 1
    return count


def test_a_clock_rests_and_goes_on():
    now = 100.0
    clock = Clock(5.0, now=lambda: now)
    now += 9
    assert clock.seconds == 5
    clock.start()
    now += 2
    assert clock.seconds == 7
    with clock.resting():
        now += 50
        assert clock.seconds == 7
    now += 1
    assert clock.seconds == 8
    clock.move_to(6)
    assert clock.seconds == 8
    clock.move_to(20)
    assert clock.seconds == 20


def test_updates_or_minutes_end_a_stage(tmp_path):
    assert make(stage_of(Course(recipe(), tmp_path), of=4)) == 4
    course = Course(recipe(minutes=0.2 / 60), tmp_path)
    stage = stage_of(course, of=10_000)
    assert 1 < make(stage, seconds=0.02) < 30
    assert 0.2 <= stage.seconds < 2
    # What is told takes the place of what the recipe says; a stage has its share.
    course = Course(recipe(minutes=60), tmp_path, minutes=0.2 / 60)
    half = stage_of(course, of=10_000, share=0.5)
    make(half, seconds=0.02)
    assert 0.1 <= half.seconds < 0.2 + 0.1


def test_judging_costs_no_time_and_is_told(tmp_path):
    told = Told()
    stage = stage_of(Course(recipe(minutes=1), tmp_path, emit=told))
    stage.step(loss=torch.tensor(1.0))
    with stage.judging() as figures:
        time.sleep(0.3)
        figures["loss"] = 2.5
    stage.step(loss=torch.tensor(1.0))
    assert stage.seconds < 0.3
    assert record(told[-2]) == {
        "event": "judged", "stage": "only", "update": 1, "figures": {"loss": 2.5},
    }  # fmt: skip


def test_steps_tell_means_and_tokens(tmp_path):
    told = Told()
    stage = stage_of(Course(recipe(), tmp_path, emit=told), of=3, log_every=2)
    for loss, part in ((1.0, 0.5), (2.0, None), (6.0, None)):
        assert stage.goes_on()
        parts = {} if part is None else {"margin": torch.tensor(part)}
        stage.step(loss=torch.tensor(loss), parts=parts, tokens=7, rate=loss)
    assert not stage.goes_on()
    first, last = (event for event in told if isinstance(event, Step))
    assert (first.update, first.loss, first.parts, first.tokens, first.rate) == (
        2, 1.5, {"margin": 0.25}, 14, 2.0,
    )  # fmt: skip
    assert first.tokens_per_second == pytest.approx(14 / first.seconds)
    # What is left over at the end is told as well.
    assert (last.update, last.loss, last.parts, last.tokens) == (3, 6.0, {}, 21)


def test_a_run_that_is_stopped_goes_on_there(tmp_path):
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, Step) and event.update == 2:
            control.stop()

    told = Told(step=stop)
    course = Course(recipe(), tmp_path, emit=told, control=control)
    with pytest.raises(RunStopped, match="Stopped after update 2 of 4"):
        make(stage_of(course))
    assert told.names() == ["started", "stage", "step", "step", "saved", "stopped"]
    told = Told()
    course = Course(recipe(), tmp_path, emit=told, resume=True)
    stage = stage_of(course)
    assert (stage.update, stage.tokens) == (2, 20)
    assert make(stage) == 2
    course.finish({"loss": 1.5})
    assert [event.update for event in told if isinstance(event, Step)] == [3, 4]
    assert told.names()[-1] == "finished"
    run = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert run["figures"] == {"loss": 1.5}
    assert not (tmp_path / "checkpoint").exists()
    with pytest.raises(RecipeError, match="no checkpoint"):
        Course(recipe(), tmp_path, resume=True)
    # It is complete all the same, until it is begun again.
    assert (tmp_path / "run.json").is_file()
    Course(recipe(), tmp_path)
    assert not (tmp_path / "run.json").exists()


def test_seconds_go_on_and_pauses_do_not_count(tmp_path):
    control = Control()
    first = Course(recipe(), tmp_path, control=control)
    stage = stage_of(first, of=100)
    stage.step()
    time.sleep(0.2)
    stage.step()
    control.stop()
    with pytest.raises(RunStopped):
        stage.goes_on()
    time.sleep(0.5)
    second = Course(recipe(), tmp_path, resume=True)
    again = stage_of(second, of=100)
    assert again.seconds == stage.seconds >= 0.2
    assert 0.2 <= second.clock.seconds < 0.5


@pytest.mark.parametrize("ends", ["resume", "stop"])
def test_a_pause_waits_with_its_clocks_still(tmp_path, ends):
    control = Control()
    control.pause()

    def end_later(event: Event) -> None:
        threading.Timer(0.5, getattr(control, ends)).start()

    told = Told(paused=end_later)
    course = Course(recipe(), tmp_path, emit=told, control=control)
    stage = stage_of(course, of=3)
    stage.step()
    began = time.monotonic()
    if ends == "stop":
        with pytest.raises(RunStopped):
            make(stage)
    else:
        assert make(stage) == 2
    assert time.monotonic() - began > 0.4
    assert course.clock.seconds < 0.4
    assert stage.seconds < 0.4
    assert told.names()[2:5] == ["step", "paused", "continued"]
    assert [event.update for event in told if isinstance(event, Paused)] == [1]


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Whoever starts the tests in the background hands down that SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_signals_steer_a_run_and_are_restored(tmp_path):
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
    before = [signal.getsignal(number) for number in numbers]
    control = Control()
    with obeying_signals(control):
        os.kill(os.getpid(), signal.SIGUSR1)
        assert control.is_pausing
        os.kill(os.getpid(), signal.SIGUSR2)
        assert not control.is_pausing
        assert not control.is_stopping
        os.kill(os.getpid(), signal.SIGTERM)
        assert control.is_stopping
        # A launcher and a terminal may both say it.
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1.1)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in numbers] == before


def test_what_was_found_out_once_stays(tmp_path):
    course = Course(recipe(), tmp_path)
    assert course.once("bf16", lambda: True)
    assert course.once("bf16", lambda: False)
    assert Course(recipe(), tmp_path, resume=True).once("bf16", lambda: False)
    assert not Course(recipe(), tmp_path).once("bf16", lambda: False)


def test_another_recipe_does_not_go_on(tmp_path):
    Course(recipe(), tmp_path)
    Course(recipe(minutes=3, purpose="Another."), tmp_path, resume=True)
    with pytest.raises(RecipeError, match="another model or recipe"):
        Course(recipe(seed=2), tmp_path, resume=True)


def test_a_run_goes_on_where_its_data_lies_in_another_folder(tmp_path):
    def of(path: str) -> Recipe:
        base = find_base("fresh-small")
        return build_recipe(Asked(), base, path=Path(path), minutes=1)

    Course(of("/one/file-a.txt"), tmp_path)
    Course(of("/other/file-a.txt"), tmp_path, resume=True)
    with pytest.raises(RecipeError, match="another model or recipe"):
        Course(of("/one/file-b.txt"), tmp_path, resume=True)


def test_only_the_main_process_writes_and_tells(tmp_path):
    told = Told()
    course = Course(recipe(), tmp_path / "out", emit=told, is_main=False)
    make(stage_of(course))
    course.finish({})
    assert not told
    assert not (tmp_path / "out").exists()


def test_all_random_numbers_go_on():
    def draw() -> list[float]:
        numpy = float(np.random.rand())
        return [random.random(), numpy, float(torch.rand(()))]

    state = checkpoint.random_state()
    wanted = draw()
    assert draw() != wanted
    checkpoint.set_random_state(state)
    assert draw() == wanted


def test_every_event_and_field_is_documented():
    table = (events.__doc__ or "").split("event      field")[1].split("\n\n")[0]
    documented: dict[str, list[str]] = {}
    for line in table.splitlines()[1:]:
        name, rest = line[:10].strip(), line[11:]
        if name:
            names = documented.setdefault(name, [])
        if not rest.startswith(" "):
            names += rest.split("  ")[0].split(", ")
    found = {
        kind.event: [field.name for field in fields(kind)]
        for kind in Event.__subclasses__()
        if kind.__module__ == events.__name__
    }
    assert documented == found
    assert len(found) == 14


def test_events_are_plain_json(tmp_path: Path):
    told = Told()
    course = Course(recipe(), tmp_path, emit=told)
    make(stage_of(course))
    rows = [json.loads(json.dumps(record(event))) for event in told]
    assert rows[0] == {
        "event": "started", "v": 1, "name": "tiny", "minutes": None,
        "is_resumed": False,
    }  # fmt: skip
    assert rows[1]["learned"] == 2
    assert all("v" not in row for row in rows[1:])
