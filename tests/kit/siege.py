"""One address that holds on to all it can get, as a program of its own.

`python -m tests.kit.siege HOST PORT` reads one token a line; it attacks until its
input ends, and then prints what the site did to it.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, Final

from webapp.settings import PROJECT

HELD: Final = 66
STREAMS_OF_EACH: Final = 2
HEAD: Final = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODY: Final = (
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/"
    b"x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nn"
)
PAGE: Final = b"GET /api HTTP/1.1\r\nHost: x\r\n\r\n"

Address = tuple[str, int]


class Siege:
    """Everything that is held, in a thread each, and what came of it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        # Statuses and the waits that were told; the list is safe to append to.
        self.answers: list[tuple[int, str | None]] = []
        self.dropped: list[str] = []

    def begin(self, tokens: Sequence[str]) -> None:
        """Hold half-sent requests, unread answers and streams."""
        for number in range(HELD):
            match number % 3:
                case 0:
                    self._start(self._hold, HEAD, b"x")
                case 1:
                    self._start(self._hold, BODY, b"x" if number % 2 else b"")
                case 2:
                    self._start(self._leave_unread)
        for token in tokens:
            for _ in range(STREAMS_OF_EACH):
                self._start(self._stream, token)

    def end(self) -> None:
        """Let go."""
        self._over.set()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _hold(self, begin: bytes, drip: bytes) -> None:
        while not self._over.is_set():
            with (
                suppress(OSError),
                closing(socket.create_connection(self._address)) as s,
            ):
                s.sendall(begin)
                s.settimeout(1)
                while not self._over.is_set():
                    with suppress(TimeoutError):
                        if not s.recv(1_000):
                            break
                    s.sendall(drip)
            self.dropped.append("half a request")

    def _connect(self) -> socket.socket:
        return socket.create_connection(self._address)

    def _leave_unread(self) -> None:
        while not self._over.is_set():
            with suppress(OSError), closing(socket.socket()) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                s.connect(self._address)
                s.settimeout(1)
                while not self._over.wait(1):
                    with suppress(TimeoutError):
                        s.sendall(PAGE)
            self.dropped.append("an unread answer")

    def _stream(self, token: str) -> None:
        while not self._over.is_set():
            with suppress(OSError, http.client.HTTPException):
                self._stream_once(token)
            self._over.wait(1)

    def _stream_once(self, token: str) -> None:
        with closing(http.client.HTTPConnection(*self._address, timeout=60)) as line:
            response = ask_to_stream(line, token)
            self.answers.append((response.status, response.headers["Retry-After"]))
            while not self._over.is_set() and response.readline():
                pass


def ask_to_stream(
    connection: http.client.HTTPConnection, token: str
) -> http.client.HTTPResponse:
    """Send a message to a warden who says nothing; return the beginning."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "text/event-stream",
        "Content-Type": "application/json",
    }
    body = json.dumps({"message": "Hello?"})
    connection.request("POST", "/api/v1/levels/yard-mute/attempts", body, headers)
    return connection.getresponse()


@contextmanager
def besieged(address: Address, tokens: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run the attack; what came of it is in the record when it is over."""
    came: dict[str, Any] = {}
    host, port = address
    process = subprocess.Popen(
        (sys.executable, "-P", "-m", "tests.kit.siege", host, str(port)),
        env={"PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write("".join(f"{token}\n" for token in tokens))
        process.stdin.write("\n")
        process.stdin.flush()
        yield came
        said, _ = process.communicate(timeout=60)
        came.update(json.loads(said))
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Attack until the input ends."""
    lines = iter(sys.stdin)
    tokens = []
    for line in lines:
        if not line.strip():
            break
        tokens.append(line.strip())
    siege = Siege((sys.argv[1], int(sys.argv[2])))
    siege.begin(tokens)
    for _ in lines:
        pass
    siege.end()
    waits = {wait for status, wait in siege.answers if status != 200}
    tally = {
        "statuses": Counter(status for status, _ in siege.answers),
        "waits": sorted(map(str, waits)),
        "dropped": Counter(siege.dropped),
    }
    sys.stdout.write(json.dumps(tally))


if __name__ == "__main__":
    main()
