"""The sidecar on its Unix socket, and the client of the site that calls it there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pytest

from finetune.serving import listening
from tests.kit.sidecar import CHAT_MODELS, KEY, MODEL, wait_until
from webapp.llm.cancel import Cancel, current
from webapp.llm.endpoints import local_endpoint
from webapp.llm.events import ChatRequest, Finish, Piece, Sampling
from webapp.llm.remote import RemoteBackend
from webapp.settings import load_settings
from webapp.supervisor import checks
from webapp.supervisor.child import health_status

HEALTH = "http://localhost/health"
pytestmark = pytest.mark.integration


def serve(folder: Path, *options: str, **env: str) -> subprocess.Popen[str]:
    chosen = {"chat_models": CHAT_MODELS, "preload": MODEL, **env}
    more = {f"WORDKEEP_SIDECAR_{name.upper()}": value for name, value in chosen.items()}
    return subprocess.Popen(
        [*(sys.executable, "-m", "finetune", "serve", "--instance", folder), *options],
        env={**os.environ, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return an instance with a short path."""
    with tempfile.TemporaryDirectory(prefix="wk-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def path(folder: Path) -> Iterator[Path]:
    """Return the socket of a running sidecar: where it is if nothing is chosen."""
    path = folder / "sidecar.sock"
    process = serve(folder, key=KEY)
    try:
        wait_until(lambda: process.poll() or health_status(HEALTH, KEY, str(path)))
        wait_until(lambda: health_status(HEALTH, KEY, str(path)) == "ok")
        yield path
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert not path.exists()


@pytest.fixture
def backend(path: Path) -> RemoteBackend:
    """Return the client of the site."""
    settings = load_settings({}, sidecar_url=f"unix:{path}", sidecar_key=KEY)
    return RemoteBackend(local_endpoint(settings))


def ask(tokens: int) -> ChatRequest:
    return ChatRequest(
        model=MODEL,
        messages=({"role": "user", "content": "Tell me a long story."},),
        sampling=Sampling(max_tokens=tokens),
    )


def test_nobody_else_may_call(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert health_status(HEALTH, "another key", str(path)) == ""


def test_the_site_talks_to_it(backend: RemoteBackend) -> None:
    assert backend.health().ok
    assert MODEL in backend.models()
    *pieces, finish = backend.stream(ask(8), Cancel())
    assert isinstance(finish, Finish)
    assert any(isinstance(piece, Piece) and piece.text for piece in pieces)


def test_stop_ends_a_reply_on_the_socket(backend: RemoteBackend) -> None:
    cancel = Cancel()
    # Or each later test in this process would have its connections cut.
    own = copy_context()
    own.run(current.set, cancel)
    stream = backend.stream(ask(1_000), cancel)
    while not isinstance(own.run(next, stream), Piece):
        pass
    timer = threading.Timer(0.2, cancel.pull)
    timer.start()
    with pytest.raises(Exception):  # noqa: B017, PT011 -- whichever the cut raises
        own.run(deque, stream, 0)
    assert cancel.is_pulled


def test_a_second_one_does_not_take_its_place(folder: Path, path: Path) -> None:
    second = serve(folder)
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert said.startswith(f"The socket {path} cannot be made: address already in use.")
    assert health_status(HEALTH, KEY, str(path)) == "ok"


def test_a_socket_that_is_left_is_taken_over(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="wk-", dir="/tmp") as short:
        path = Path(short) / "own.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        process = serve(tmp_path, "--socket", str(path))
        try:
            wait_until(lambda: health_status(HEALTH, "", str(path)))
        finally:
            process.kill()
            process.communicate()


def test_a_path_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    process = serve(tmp_path / ("i" * 120))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.count("\n") == 1
    assert "bytes, and no more than 103 can be used." in said
    assert "--socket FILE" in said


@pytest.mark.parametrize(
    "host",
    [
        "192.168..10",
        "192.0.2.1",
        "no.such.host.invalid",
        "x" * 300,
        "::bad",
        "224.0.0.1",
    ],
)
def test_a_host_that_cannot_be_one_is_the_sentence_of_the_site(
    tmp_path: Path, host: str
) -> None:
    process = serve(tmp_path, "--host", host, "--port", "8999", key=KEY)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said == (
        f'"{host}" is not an address of this computer. Use --host 127.0.0.1 for this '
        "computer only, or --host 0.0.0.0 for everyone in the network.\n"
    )


def test_those_sentences_are_equal() -> None:
    for host in ("192.168..10", "\udcff"):
        assert listening._host_sentence(host) == checks._host_sentence(host)


def test_a_busy_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        process = serve(tmp_path, "--port", str(port))
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.startswith(f"Port {port} is used by another program.")
