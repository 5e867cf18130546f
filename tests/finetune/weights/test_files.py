"""Files are written whole, and what is made once is made for all processes."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from finetune.weights.files import made_once, replacing, write_json
from finetune.weights.tensors import write_tensors


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


def test_json_replaces_a_file_as_a_whole(tmp_path):
    path = tmp_path / "new-folder" / "out.json"
    write_json(path, {"a": "old"})
    write_json(path, {"a": "é"})
    assert json.loads(path.read_text("utf-8")) == {"a": "é"}
    assert "é" in path.read_text("utf-8")
    assert list(path.parent.iterdir()) == [path]


def test_half_of_a_character_can_be_written_and_read_again(tmp_path):
    path = tmp_path / "out.json"
    write_json(path, {"a": "\ud83d"})
    assert json.loads(path.read_text("utf-8")) == {"a": "\ud83d"}


def break_off(path: Path) -> None:
    with replacing(path) as new:
        new.write_text("half")
        raise OSError(28, "No space left on device")


def test_what_was_there_stays_if_writing_fails(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    with pytest.raises(OSError, match="No space"):
        break_off(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_tied_weights_are_written_as_two(tmp_path):
    weights = torch.arange(4.0)
    path = tmp_path / "w.safetensors"
    write_tensors({"a": weights, "b": weights}, path)
    assert [t.tolist() for t in load_file(path).values()] == [weights.tolist()] * 2
    assert list(tmp_path.iterdir()) == [path]
