"""Log files that stay small: what children print goes to instance/logs."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 2_000_000
KEPT_FILES = 3
LAST_LINES = 40
# A program that cannot start puts this before each line that a person should read.
MARK = "wordkeep: "


class ChildLog:
    """The log of one child: a rotated file, and the last lines in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last: list[str] = []
        self._file = _QuietHandler(
            path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, delay=True
        )
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what the child printed; only whole lines are written."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._write(line)

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._rest:
            self._write(self._rest)
        self._rest = b""
        self._file.close()

    def begin(self) -> None:
        """Forget the last lines: the program starts again."""
        self.last = []

    def reason(self) -> str:
        """Return why the program stopped: its own sentence, or its last line."""
        said = [line.strip() for line in self.last if line.strip()]
        own = [line.removeprefix(MARK) for line in said if line.startswith(MARK)]
        return "\n".join(own) or (said[-1] if said else "it printed nothing")

    def _write(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.last = [*self.last[-LAST_LINES:], text]
        self._file.emit(logging.makeLogRecord({"msg": "%s", "args": (text,)}))


class _QuietHandler(RotatingFileHandler):
    """Says once that a log cannot be written, and carries on: play goes before logs."""

    _has_complained = False

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._has_complained:
            self._has_complained = True
            error = sys.exc_info()[1]
            print(f"wordkeep: {self.baseFilename} cannot be written: {error}")  # noqa: T201
