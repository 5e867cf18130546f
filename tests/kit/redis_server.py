"""A Redis server of Debian's packages, which can go away and come back.

It listens on a socket in a folder of its own and on no port.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

BINARY = Path("/usr/bin/redis-server")


class NoRedis(Exception):
    """No server can be had; the text says why."""


class RedisServer:
    """A server that keeps nothing over its end."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of its database."""
        return f"redis+unix://{self._socket}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ("--port", "0", "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(
            (BINARY, "--unixsocket", self._socket, *options),
            stdout=subprocess.DEVNULL,
            cwd=self._socket.parent,
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NoRedis("redis-server did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def names(self) -> list[str]:
        """Return the keys that it holds."""
        with redis.Redis(unix_socket_path=str(self._socket)) as client:
            return [key.decode() for key in client.scan_iter()]

    def _answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self._socket)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Offer a server that is not started yet; raise NoRedis if there is none."""
    if not BINARY.exists():
        raise NoRedis(f"no Redis at {BINARY}: apt-get install redis-server")
    folder = Path(tempfile.mkdtemp(prefix="wk-redis-", dir="/tmp"))
    server = RedisServer(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
