"""`bench resume`: what counts as the same, and one real run of each end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from finetune import __main__ as cli
from finetune.bench.resuming import Outcome, _table, _went_on

GOOD = Outcome(
    kind="LoRA", ended_by="SIGKILL", at=7, went_on=5, updates=24, loss=2.0004,
    wanted=2.0, is_whole=True,
)  # fmt: skip


def test_a_lost_update_or_another_loss_is_not_the_same() -> None:
    values = {name: getattr(GOOD, name) for name in Outcome.__dataclass_fields__}
    assert GOOD.is_same
    for change in ({"loss": 2.0011}, {"loss": 1.9989}, {"is_whole": False}):
        other = Outcome(**{**values, **change})
        assert not other.is_same
        assert "1 of 2 came to the same" in _table([GOOD, other])


def test_where_a_run_went_on_is_the_first_update_after_its_last_start() -> None:
    started: dict[str, Any] = {"event": "started"}
    step: dict[str, Any] = {"event": "step"}
    events = [started, step | {"update": 1}, step | {"update": 2}]
    assert _went_on(events) == 1
    assert _went_on([*events, started, step | {"update": 2}]) == 2
    assert _went_on([*events, started]) == 0


@pytest.mark.slow
def test_a_run_that_is_killed_and_one_that_is_stopped_come_to_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["bench-resume", "--kind", "from nothing", "--kills", "1", "--stops", "1"]
    assert cli.main([*asked, "--json"]) == 0
    killed, stopped = json.loads(capsys.readouterr().out)
    assert (killed["ended_by"], stopped["ended_by"]) == ("SIGKILL", "SIGTERM")
    assert killed["at"] >= 1
