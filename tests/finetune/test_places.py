"""What is made once for all processes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from finetune.places import made_once


def note(log: Path, new: Path) -> None:
    with log.open("a") as file:
        file.write("made\n")
    new.write_text("whole")


def test_processes_at_once_make_it_once(tmp_path):
    path, log = tmp_path / "cache" / "model", tmp_path / "log"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(made_once, [path] * 4, [partial(note, log)] * 4))
    assert found == [path] * 4
    assert path.read_text() == "whole"
    assert log.read_text() == "made\n"


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
