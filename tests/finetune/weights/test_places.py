"""What is made once for all processes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from finetune.weights.places import made_once


def test_those_who_come_meanwhile_wait(tmp_path):
    path, made = tmp_path / "cache" / "model", []

    def make(new: Path) -> None:
        made.append(new)
        time.sleep(0.2)
        new.write_text("whole")

    # Each opens the folder itself, so threads lock each other out as processes do.
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(made_once, [path] * 4, [make] * 4))
    assert found == [path] * 4
    assert len(made) == 1
    assert path.read_text() == "whole"


def test_what_a_killed_process_left_is_not_taken(tmp_path):
    (tmp_path / "model.new").mkdir()
    (tmp_path / "model.new" / "half").write_text("half")
    made_once(tmp_path / "model", lambda new: new.write_text("whole"))
    assert (tmp_path / "model").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failure_leaves_nothing(tmp_path):
    def fail(new: Path) -> None:
        new.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        made_once(tmp_path / "model", fail)
    assert list(tmp_path.iterdir()) == []
