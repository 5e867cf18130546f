"""Giving way to play: while the engine has more to do than it can, training waits."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from pathlib import Path
from typing import Final

from finetune.settings import Settings

_ASK_SECONDS: Final = 2.0
# Of all time at most this share is given away, or a training would never end.
_MOST_SHARE: Final = 0.8
# As much learning is saved up at most: so long may the first wait be.
_MOST_SAVED: Final = 10.0


class Turns:
    """Decides when a training waits: when others do, for at most 80 % of the time."""

    def __init__(self) -> None:
        self.is_yielding = False
        self._saved = _MOST_SAVED

    def next(self, *, others_wait: bool, seconds: float) -> bool:
        """Return whether to wait now; `seconds` have passed since the last time."""
        if self.is_yielding:
            self._saved -= seconds
        else:
            earned = seconds * _MOST_SHARE / (1 - _MOST_SHARE)
            self._saved = min(_MOST_SAVED, self._saved + earned)
        # Once it has used up its wait it learns until there is something to wait from.
        least = 0.0 if self.is_yielding else _MOST_SAVED / 2
        self.is_yielding = others_wait and self._saved > least
        return self.is_yielding


class Engine:
    """The sidecar, as far as the worker asks it: do requests wait for a slot?"""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def has_waiting(self) -> bool:
        """Whether requests wait; no if the sidecar does not answer."""
        try:
            with closing(self._connection()) as connection:
                connection.request("GET", "/health")
                told = json.load(connection.getresponse())
        except (OSError, http.client.HTTPException, ValueError):
            return False
        return isinstance(told, dict) and bool(told.get("waiting"))

    def _connection(self) -> http.client.HTTPConnection:
        settings = self._settings
        if settings.is_for_others:
            return http.client.HTTPConnection(
                settings.host, settings.port, timeout=_ASK_SECONDS
            )
        return _UnixConnection(settings.socket_path)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ASK_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Open the connection."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
