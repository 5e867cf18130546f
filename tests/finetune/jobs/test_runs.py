"""How far a run is, as its log says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.jobs.runs import RunLog


def step(update: int, **changes: Any) -> dict[str, Any]:
    return {"event": "step", "update": update, "of": 9000, "loss": float(update),
            "rate": 0.1, "tokens_per_second": 5.0} | changes  # fmt: skip


def write(path: Path, *events: dict[str, Any]) -> None:
    with path.open("a") as log:
        log.writelines(json.dumps(event) + "\n" for event in events)


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "events.jsonl")


def test_a_run_that_has_told_nothing(log: RunLog) -> None:
    log.catch_up()
    assert (log.step, log.last_judged()) == ({}, {})
    assert set(map(tuple, log.curves().values())) == {()}


def test_long_curves_are_thinned_and_keep_their_ends(log: RunLog) -> None:
    write(log.path, *(step(n) for n in range(1, 8001)))
    log.catch_up()
    points = log.curves()["train"]
    assert len(points) == 500
    assert (points[0], points[-1]) == ((1, 1.0), (8000, 8000.0))
    assert points == sorted(points)


def test_half_a_line_waits_for_its_other_half(log: RunLog) -> None:
    whole = json.dumps(step(2))
    write(log.path, step(1))
    with log.path.open("a") as file:
        file.write(whole[:20])
    log.catch_up()
    assert log.step["update"] == 1
    with log.path.open("a") as file:
        file.write(whole[20:] + "\n")
    log.catch_up()
    assert log.step["update"] == 2


def test_what_a_killed_worker_left_of_a_line_is_passed_over(log: RunLog) -> None:
    log.path.write_text('{"event": "ste\n')
    write(log.path, step(1), step(2, loss=None))
    log.catch_up()
    assert log.step["update"] == 2
    assert log.curves()["train"] == [(1, 1.0)]
