"""One supervised program: how it is started, watched, and stopped."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from webapp.supervisor.logs import ChildLog

PROBE_SECONDS = 2.0
# A program without a health page is up when it has lived so long.
LIVED_SECONDS = 5.0
PROBE_PAUSE = 0.15
# While it is up it is asked this often, and given up after so many without an answer.
WATCH_PAUSE = 5.0
UNHEARD = 6
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `env` is added to this process's environment: keys stay there.

    Without a `health_url` a program is well as long as it lives.
    """

    name: str
    argv: tuple[str, ...]
    health_url: str
    log: Path
    # Seconds after its first answer when it counts as up, well or not; None: only well.
    patience: float | None = None
    # How long it may take to stop; then it is ended.
    stop_seconds: float = 2.0
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    # The Unix socket on which it is asked; "" for the port of its address.
    socket: str = ""
    # What its health page must accept, or another program answers in its place.
    key: str = field(default="", repr=False)
    # Open files that it is given.
    files: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """The name at the start of a sentence."""
        return self.name[:1].upper() + self.name[1:]


class Child:
    """A program that is kept running. `step` is called a few times a second."""

    def __init__(
        self, program: Program, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.program = program
        self._clock = clock
        self.log = ChildLog(program.log)
        self.is_up = False
        # The last word of its health page; "" if it did not answer.
        self.status = ""
        self.started_at = 0.0
        # Starts in a row after which it did not come up.
        self.failures = 0
        self._next_probe = 0.0
        # How often in a row it was asked while it was up, and did not answer.
        self._unheard = 0
        # When it was first heard to answer, well or not, since its start.
        self._answered_at: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._next_start = 0.0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the program; what it prints goes to its log."""
        self.started_at = self._clock()
        self.status = ""
        self._answered_at = None
        self._unheard = 0
        self.log.begin()
        self._process = subprocess.Popen(
            self.program.argv,
            env={**os.environ, **self.program.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal is for the supervisor, which stops all in order.
            start_new_session=True,
            pass_fds=self.program.files,
            preexec_fn=die_with_parent(os.getpid()),
        )
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        os.set_blocking(self._process.stdout.fileno(), False)

    def read_output(self) -> None:
        """Move what was printed into the log."""
        if self._process is None or self._process.stdout is None:
            return
        with suppress(BlockingIOError):
            while data := os.read(self._process.stdout.fileno(), 65_536):
                self.log.feed(data)

    def exit_code(self) -> int | None:
        """Return how the program ended, or None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def waited(self) -> float:
        """Seconds since the program was started."""
        return self._clock() - self.started_at

    def probe(self) -> bool:
        """Ask now and then how the program is doing; return whether it counts as up."""
        if self._clock() < self._next_probe:
            return self.is_up
        self.status = self._ask()
        self._next_probe = self._clock() + PROBE_PAUSE
        patience = self.program.patience
        if self.status and self._answered_at is None:
            self._answered_at = self._clock()
        is_borne = (
            patience is not None
            and self._answered_at is not None
            and bool(self.status)
            and self._clock() - self._answered_at >= patience
        )
        self.is_up = self.status == "ok" or is_borne
        if self.is_up:
            self.failures = 0
        return self.is_up

    def is_silent(self) -> bool:
        """Ask now and then while it is up; tell whether it no longer answers at all."""
        if not self.is_up or self._clock() < self._next_probe:
            return False
        self.status = self._ask()
        self._next_probe = self._clock() + WATCH_PAUSE
        self._unheard = 0 if self.status else self._unheard + 1
        return self._unheard >= UNHEARD

    def bury(self) -> str:
        """Clean up after a program that ended; return how, and plan the next start.

        One that still runs is ended first.
        """
        code = self.exit_code()
        self.read_output()
        self._drop_rest()
        self.is_up = False
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self.failures)
        self.failures += 1
        self._next_start = self._clock() + pause
        return how_it_ended(code)

    def is_due(self) -> bool:
        """Whether it is down and the pause before its next start is over."""
        return self._process is None and self._clock() >= self._next_start

    def ask_to_stop(self) -> None:
        """Send the polite signal."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait_stopped(self, deadline: float) -> None:
        """Wait until `deadline`, then end it and everything it started."""
        while self._process is not None and self._process.poll() is None:
            self.read_output()
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        self.read_output()
        self._drop_rest()
        self.log.close()

    def _ask(self) -> str:
        program = self.program
        if not program.health_url:
            return "ok" if self.waited >= LIVED_SECONDS else ""
        return health_status(program.health_url, program.key, program.socket)

    def _drop_rest(self) -> None:
        """End what the program left in its process group, and close the pipe."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


def die_with_parent(parent: int) -> Callable[[], None] | None:
    """Return what makes a forked process die with `parent`, even of `kill -9`.

    Only Linux can do that; elsewhere None.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died before the line above.
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class _UnixConnection(http.client.HTTPConnection):
    """A connection to a program that listens on a Unix socket."""

    def __init__(self, path: str, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the connection."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def health_status(url: str, key: str = "", path: str = "") -> str:
    """Return what a health page says: ok, another word, or "" if nobody answers.

    With `key` the page of a program that has another key counts as no answer. With
    `path` it is asked on the Unix socket there.
    """
    parts = urlsplit(url)
    connection = (
        _UnixConnection(path, timeout=PROBE_SECONDS)
        if path
        else http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=PROBE_SECONDS
        )
    )
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        connection.request("GET", parts.path, headers=headers)
        answer = json.loads(connection.getresponse().read(100_000))
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
    return str(answer.get("status", "")) if isinstance(answer, dict) else ""


def how_it_ended(code: int | None) -> str:
    """Return a few words for an exit code."""
    if code is None:
        return "was stopped"
    if code < 0:
        known = {number.value: number.name for number in signal.Signals}
        return f"was killed by {known.get(-code, f'signal {-code}')}"
    return f"ended with code {code}"
