"""A small real HTTP server that plays a model endpoint, also a broken one."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.kit.clocks import patient

Answer = Callable[["Call"], None]


@dataclass
class Call:
    """One request, and the means to answer it well or badly."""

    handler: BaseHTTPRequestHandler
    path: str
    headers: dict[str, str]
    body: Any
    hung_up: threading.Event = field(default_factory=threading.Event)

    def json(
        self, body: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.raw(json.dumps(body).encode(), "application/json", status, headers or {})

    def raw(
        self,
        data: bytes,
        content_type: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", content_type)
        self.handler.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(data)

    def start(self) -> None:
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", "text/event-stream")
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()

    def write(self, data: bytes) -> None:
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.handler.wfile.flush()

    def send(self, event: Any) -> None:
        self.write(b"data: " + json.dumps(event).encode() + b"\n\n")

    def text(self, text: str) -> None:
        self.send({"choices": [{"index": 0, "delta": {"content": text}}]})

    def finish(self, reason: str = "stop") -> None:
        self.send({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        self.send(
            {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}}
        )
        self.done()

    def done(self) -> None:
        self.write(b"data: [DONE]\n\n")
        self.handler.wfile.write(b"0\r\n\r\n")

    def drop(self) -> None:
        """Vanish as a killed process does."""
        self.handler.connection.shutdown(socket.SHUT_RDWR)

    def wait_for_hang_up(self, seconds: float = 10.0) -> bool:
        """Wait until the client closes its side."""
        connection = self.handler.connection
        if select.select([connection], [], [], seconds)[0]:
            try:
                gone = not connection.recv(1)
            except OSError:
                gone = True
            if gone:
                self.hung_up.set()
        return self.hung_up.is_set()


class Upstream:
    """The server: `answers` are used up in order, the last one stays."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: deque[Answer] = deque()
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                data = self.rfile.read(size)
                call = Call(
                    self,
                    self.path,
                    {k.lower(): v for k, v in self.headers.items()},
                    json.loads(data) if data else None,
                )
                upstream.calls.append(call)
                answers = upstream.answers
                answer = answers.popleft() if len(answers) > 1 else answers[0]
                try:
                    answer(call)
                except OSError:
                    call.hung_up.set()
                self.close_connection = True

            do_GET = handle_any
            do_POST = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                """Stay quiet."""

        class Server(ThreadingHTTPServer):
            # Or closing would wait for answers that never come.
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is part of the tests."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def answer(self, *answers: Answer) -> None:
        self.answers = deque(answers)

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def reply(*pieces: str) -> Answer:
    """Return an answer that streams these pieces properly."""

    def answer(call: Call) -> None:
        call.start()
        for piece in pieces:
            call.text(piece)
        call.finish()

    return answer


def until(condition: Callable[[], bool], seconds: float = 3.0) -> bool:
    """Wait for a condition that another thread brings about."""
    end = time.monotonic() + patient(seconds)
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
