"""Stop a model call that another thread waits in.

Closing a socket does not wake a thread that reads from it; shutting it down does.
So every call keeps hold of its socket, from the moment it is connected.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from contextvars import ContextVar
from typing import Any

import httpx2

current: ContextVar[Cancel | None] = ContextVar("current", default=None)


class Cancel:
    """The cord of one call: `pull` ends it, whatever it waits for."""

    def __init__(self) -> None:
        # Protects the pair (pulled, socket): either may be set first.
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._pulled = threading.Event()

    @property
    def is_pulled(self) -> bool:
        """Whether the call should end."""
        return self._pulled.is_set()

    def pull(self) -> None:
        """End the call: the connection closes and a waiting read returns."""
        with self._lock:
            self._pulled.set()
            _shut_down(self._socket)

    def wait(self, seconds: float) -> bool:
        """Sleep unless pulled; return whether it was pulled."""
        return self._pulled.wait(seconds)

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Keep the newest socket that the HTTP client reports."""
        if event in {
            "connection.connect_tcp.complete",
            "connection.connect_unix_socket.complete",
            "connection.start_tls.complete",
        }:
            self._hold(info["return_value"].get_extra_info("socket"))

    def _hold(self, connection: socket.socket | None) -> None:
        with self._lock:
            self._socket = connection
            if self._pulled.is_set():
                _shut_down(connection)


def attach(request: httpx2.Request) -> None:
    """Let the Cancel of the running call see the connection of this request."""
    cancel = current.get()
    if cancel is not None:
        request.extensions["trace"] = cancel.trace


def _shut_down(connection: socket.socket | None) -> None:
    if connection is not None:
        # It may be closed already: then there is nothing to wake.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
