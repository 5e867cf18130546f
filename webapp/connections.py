"""The site's connections: no thread is spent on what has not arrived or is not read.

Gunicorn keeps the processes, and waitress the connections of each: one loop takes in
whole requests and gives out answers, and only what runs our code has a thread. Here
are the limits on what one address, one request and one answer may take.
"""

from __future__ import annotations

import logging
import os
import resource
import socket
import time
from typing import Any, Final

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import (
    HTTPRequestParser,
    ParsingError,
    TransferEncodingNotImplemented,
)
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher
from waitress.utilities import RequestEntityTooLarge

from webapp.networks import network_of
from webapp.settings import Settings

# From the first byte of a request to its last; however steadily it drips.
REQUEST_SECONDS: Final = 20.0
# For an answer to be taken, from its first byte that had to wait.
ANSWER_SECONDS: Final = 60.0
# A connection on which nothing is asked.
IDLE_SECONDS: Final = 10.0
HEAD_BYTES: Final = 32_768
# Connections of a process. Each is an open file, and there are others.
MOST: Final = 1_000
FILES: Final = 4_096
# A classroom behind one address, with all that its browsers open at once.
MOST_OF_ONE: Final = 256
BACKLOG: Final = 2_048
_TURN_SECONDS: Final = 1.0


class SiteWorker(Worker):  # type: ignore[misc]
    """A process of the site under gunicorn, with the loop of waitress in it."""

    def run(self) -> None:
        """Serve until told to stop, then let what has begun come to its end."""
        settings: Settings = self.app.settings
        self._door = Door(self.wsgi, self.sockets[0].sock, settings)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._door.turn()
        self._door.shut()
        until = time.monotonic() + self.cfg.graceful_timeout
        while self._door.is_busy() and time.monotonic() < until:
            self.notify()
            self._door.turn()

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin to stop; called by a signal, in the middle of anything."""
        super().handle_exit(sig, frame)
        if door := getattr(self, "_door", None):
            door.pull_trigger()


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; of one that is too long, the site itself says so."""

    error: Any

    def received(self, data: bytes) -> int:
        """Take in bytes; return how many belonged to this request."""
        consumed: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self.error = None
            self.connection_close = True
            # One in chunks states no length; what came is over the limit already.
            self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Read all before the body; what cannot be read is the caller's error."""
        try:
            super().parse_header(header_plus)
        except (ValueError, TransferEncodingNotImplemented) as error:
            raise ParsingError("The request cannot be read.") from error


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, and since when it makes us wait."""

    parser_class = Parser

    def __init__(
        self, server: Door, sock: socket.socket, addr: Any, adj: Adjustments, map: Any
    ) -> None:
        self.network = network_of(str(addr[0]))
        self._asking_since = 0.0
        self._taking_since: float | None = None
        super().__init__(server, sock, addr, adj, map=map)

    def received(self, data: bytes) -> bool:
        """Take in bytes, of a request that may have begun earlier."""
        if self.request is None:
            self._asking_since = time.time()
        taken: bool = super().received(data)
        return taken

    def is_late(self, now: float) -> bool:
        """Tell whether it has made us wait for too long."""
        if not self.total_outbufs_len:
            self._taking_since = None
        elif self._taking_since is None:
            self._taking_since = now
        if self._taking_since is not None:
            return now - self._taking_since > ANSWER_SECONDS
        if self.requests:
            return False
        if self.request is not None:
            return now - self._asking_since > REQUEST_SECONDS
        return now - self.last_activity > IDLE_SECONDS

    @property
    def is_busy(self) -> bool:
        """Whether something is being answered."""
        return bool(self.requests or self.total_outbufs_len)

    requests: list[Any]
    request: Any
    total_outbufs_len: int
    last_activity: float


class Door(TcpWSGIServer):  # type: ignore[misc]
    """The listening socket of a process, and all its connections."""

    channel_class = Channel

    def __init__(self, site: Any, listener: socket.socket, settings: Settings) -> None:
        self._behind_proxy = bool(settings.trusted_proxies)
        self._next_look = 0.0
        self._site_connections: dict[int, Any] = {}
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(settings.threads)
        # It would say that all threads are busy, once for each request.
        dispatcher.queue_logger.setLevel(logging.ERROR)
        super().__init__(
            site,
            map=self._site_connections,
            _sock=listener,
            dispatcher=dispatcher,
            adj=_adjustments(settings),
            sockinfo=(
                listener.family,
                listener.type,
                listener.proto,
                listener.getsockname(),
            ),
            bind_socket=False,
        )

    def turn(self) -> None:
        """Take and give what can be taken and given, for a second at most."""
        now = time.time()
        if now >= self._next_look:
            self._next_look = now + _TURN_SECONDS
            for channel in list(self.active_channels.values()):
                if channel.is_late(now):
                    channel.handle_close()
        wasyncore.loop(
            timeout=_TURN_SECONDS, use_poll=True, map=self._site_connections, count=1
        )

    def shut(self) -> None:
        """Let nobody else in."""
        self.accepting = False

    def is_busy(self) -> bool:
        """Tell whether something is still being answered."""
        return any(channel.is_busy for channel in self.active_channels.values())

    def maintenance(self, now: float) -> None:
        """Leave it to `turn`, which closes also what takes nothing."""

    def set_socket_options(self, conn: socket.socket) -> None:
        """Prepare a new connection; refuse it if its address has too many."""
        # All that a proxy passes on comes from one address.
        if not self._behind_proxy:
            whose = network_of(str(conn.getpeername()[0]))
            has = sum(c.network == whose for c in self.active_channels.values())
            if has >= MOST_OF_ONE:
                # The caller takes it as one that has gone already.
                raise ConnectionAbortedError
        super().set_socket_options(conn)


def _adjustments(settings: Settings) -> Adjustments:
    return Adjustments(
        threads=settings.threads,
        backlog=BACKLOG,
        connection_limit=_open_files(),
        max_request_header_size=HEAD_BYTES,
        # What is a little too long is read, or the answer would not be.
        max_request_body_size=4 * settings.request_bytes,
        # So that a reader who goes away is noticed while nothing is written.
        channel_request_lookahead=1,
        # Which of them to trust is decided in one place, for the application.
        clear_untrusted_proxy_headers=False,
        log_socket_errors=False,
        ident=None,
    )


def _open_files() -> int:
    """Ask the system for enough open files; return how many connections that gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES:
        soft = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, soft // 2)
